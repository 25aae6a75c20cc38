"""What the parts of a multimedia message can be (5.57 guide, 5.3.7.6.3)."""

from __future__ import annotations

MEDIA_TYPES = {
    "UTF8": "text/plain; charset=utf-8",
    "UTF16": "text/plain; charset=utf-16",
    "UCS2": "text/plain; charset=iso-10646-ucs-2",
    "US_ASCII": "text/plain; charset=us-ascii",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "TIFF": "image/tiff",
    "PNG": "image/png",
    "WBMP": "image/vnd.wap.wbmp",
    "SMIL": "application/smil",
}
"""What option 93 calls a part (5.3.7.6.3), as other servers call it."""
