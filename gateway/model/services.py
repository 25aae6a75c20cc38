"""What a host wants of servers: files, mail, web pages, multimedia messages, the time. In no dialect's terms.

A service is a *session*, opened by a request that logs in, then worked by others, then closed by
:class:`~gateway.model.requests.CloseSocket`. A dialect that does all in one command asks for the three one after the
other. The session is a :class:`HostSocket`: what is sent on it is :class:`~gateway.session.effects.Payload`, ended by
:class:`~gateway.model.requests.ShutdownTcp`; what comes is a :class:`~gateway.model.events.Received` event. An
operation that moves data says :class:`Begun` when it can begin, and its result comes when the server has all of it, or
when all of it was delivered.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.model.record import record
from gateway.model.values import Endpoint, Family, HostSocket, Secret


class Method(StrEnum):
    """Of HTTP (RFC 9110, 9.3)."""

    GET = "GET"
    HEAD = "HEAD"
    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"
    TRACE = "TRACE"
    OPTIONS = "OPTIONS"


# -- files (RFC 959) ---------------------------------------------------------------------------------------------------


@record
class OpenFtp:
    """Log in. ``binary`` and ``passive`` hold until the session ends, or :class:`SetFtp`."""

    session: HostSocket
    server: Endpoint
    user: str = "anonymous"
    password: Secret = Secret("")
    account: Secret = Secret("")
    binary: bool = True
    passive: bool = True


@record
class SetFtp:
    """Another type or mode from now on."""

    session: HostSocket
    binary: bool
    passive: bool


@record
class GetFile:
    """Download. ``path`` is folder and name as the server takes them."""

    session: HostSocket
    path: str


@record
class PutFile:
    """Upload, or add to what is there."""

    session: HostSocket
    path: str
    append: bool = False


@record
class DeleteFile:
    """Remove."""

    session: HostSocket
    path: str


# -- mail (RFC 5321, RFC 1939) -----------------------------------------------------------------------------------------


@record
class OpenSmtp:
    """Say hello to the server, and log in where there is a user."""

    session: HostSocket
    server: Endpoint
    user: str = ""
    password: Secret = Secret("")
    domain: str = ""
    """What the greeting names; the server may care."""
    secure: bool = False
    plain: bool = False
    """No more is wanted than one mail with a header of the fields, without blind copies, to ten recipients at most, whose
    body has no line of a single dot."""


@record
class SendMail:
    """One mail. With ``header`` the header is made of the fields below and the body is what is sent on the session;
    without it that is header and body."""

    session: HostSocket
    sender: str
    recipients: tuple[str, ...]
    copies: tuple[str, ...] = ()
    blind_copies: tuple[str, ...] = ()
    sender_name: str = ""
    subject: str = ""
    header: bool = True


@record
class OpenPop3:
    """Log in."""

    session: HostSocket
    server: Endpoint
    user: str = ""
    password: Secret = Secret("")
    secure: bool = False
    plain: bool = False
    """No more is wanted than the first mail, which is then deleted."""


@record
class ListMail:
    """Which mails there are: :class:`~gateway.model.results.Done` with :class:`MailList`. In a plain session it may name
    a first mail unseen."""

    session: HostSocket


@record
class FetchMail:
    """One mail by its number (1 is the first); without ``header`` only what stands behind the first empty line. Of a mail
    that was named unseen, a result without :class:`Begun`: there is none."""

    session: HostSocket
    number: int = 1
    header: bool = True


@record
class DeleteMail:
    """Mark a mail; it is gone when the session is closed in good order."""

    session: HostSocket
    number: int


@record
class MailList:
    """Number and size in bytes of each mail."""

    mails: tuple[tuple[int, int], ...]


# -- web (RFC 9112) ----------------------------------------------------------------------------------------------------


@record
class OpenHttp:
    """A session with a server, or with a proxy that ``server`` is. ``headers``: sent with every request."""

    session: HostSocket
    server: Endpoint | None = None
    user: str = ""
    password: Secret = Secret("")
    headers: tuple[tuple[str, str], ...] = ()
    version: str = "1.1"
    redirects: int = 8


@record
class WebRequest:
    """One request. Its :class:`Begun` comes with the answer's status and header; POST and PUT first say :class:`Begun`
    with status 0, when the body can be sent. ``secure`` URLs (``https://``) are those of servers that prove
    who they are, unless the user says otherwise."""

    session: HostSocket
    method: Method
    url: str
    user: str = ""
    password: Secret = Secret("")
    headers: tuple[tuple[str, str], ...] = ()
    length: int | None = None
    """Of the body, where it is known before."""


# -- multimedia messages (OMA MMS encapsulation) -----------------------------------------------------------------------


@record
class OpenMms:
    """A session with a message centre, through a proxy where there is one."""

    session: HostSocket
    centre: str
    """Its URL."""
    proxy: Endpoint | None = None


@record
class MmsPart:
    """One file of a message."""

    content_type: str
    name: str
    data: bytes
    content_id: str = ""
    """``<...>``; made of the name where it is empty."""


@record
class SendMms:
    """Send a message whose parts are all there. Recipients are ``+41.../TYPE=PLMN`` or a mail address."""

    session: HostSocket
    recipients: tuple[str, ...]
    copies: tuple[str, ...] = ()
    blind_copies: tuple[str, ...] = ()
    sender: str = ""
    subject: str = ""
    date: str = ""
    message_class: str = "PERSONAL"
    priority: str = "NORMAL"
    hide_sender: bool = False
    related: bool = False
    chunked: bool = True
    parts: tuple[MmsPart, ...] = ()
    first: str = ""
    """Related parts: the content id of the one that presents the others; the first of its kind where it is empty."""


# -- the time (RFC 5905) -----------------------------------------------------------------------------------------------


@record
class GetTime:
    """Ask a time server, and set the module's clock by it: :class:`~gateway.model.results.Done` with the time in UTC as
    ``YYYY-MM-DDThh:mm:ss``."""

    server: Endpoint
    family: Family = Family.FOUR


# -- news --------------------------------------------------------------------------------------------------------------


@record
class Begun:
    """Data can be sent, or comes from now on."""

    size_bytes: int | None = None
    """Where the server says it."""
    status: int = 0
    """HTTP."""
    reason: str = ""
    """HTTP: the words behind the status."""
    header: str = ""
    """HTTP: the answer's header lines, CR LF between them."""


ServiceRequest = (
    OpenFtp | SetFtp | GetFile | PutFile | DeleteFile | OpenSmtp | SendMail | OpenPop3 | ListMail | FetchMail
    | DeleteMail | OpenHttp | WebRequest | OpenMms | SendMms | GetTime
)  # fmt: skip
