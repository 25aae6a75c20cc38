"""Where the grammars and dialect files are: in the installed package, or at the top of a checkout.

``AT_GATEWAY_DIALECTS`` may name a folder of a user's own dialect files; it is looked at first.
"""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(kind: str) -> Path:
    """The folder ``grammars`` or ``dialects`` as shipped; an editable install has them beside the package."""
    packaged = _PACKAGE / kind
    return packaged if packaged.is_dir() else _PACKAGE.parent / kind


def dialect_folders() -> list[Path]:
    """Folders to look for dialect files in, the user's own first."""
    own = os.environ.get("AT_GATEWAY_DIALECTS")
    return ([Path(own)] if own else []) + [folder("dialects")]
