"""Two POP3 servers that others wrote: Dovecot where it is installed, and Twisted's everywhere."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from support.rig import LIMIT_S, unused_port

USER, PASSWORD = "meter", "s3cret"
DOVECOT = shutil.which("dovecot") or ("/usr/sbin/dovecot" if Path("/usr/sbin/dovecot").exists() else None)
KINDS = ["twisted", *(["dovecot"] if DOVECOT else [])]

_DOVECOT = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
{users}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
pop3_uidl_format = %f
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {port}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
"""

_TWISTED = """
import sys
from io import BytesIO
from pathlib import Path
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernameHashedPassword, IUsernamePassword
from twisted.cred.error import UnauthorizedLogin
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.mail.pop3 import IMailbox, POP3, Mailbox
from zope.interface import implementer


class Box(Mailbox):
    def __init__(self, user):
        self.files = sorted(Path(sys.argv[1], user).glob("*/*"), key=lambda path: path.name)
        self.marked = set()

    def _mail(self, number):
        if not 0 <= number < len(self.files):
            raise ValueError(number)
        return b"" if number in self.marked else self.files[number].read_bytes()

    def listMessages(self, number=None):
        if number is not None:
            return len(self._mail(number))
        return [len(self._mail(each)) for each in range(len(self.files))]

    def getMessage(self, number):
        mail = self._mail(number)
        if number in self.marked:
            raise ValueError(number)
        return BytesIO(mail)

    def getUidl(self, number):
        return self.files[number].name.encode()

    def deleteMessage(self, number):
        self._mail(number)
        self.marked.add(number)

    def undeleteMessages(self):
        self.marked.clear()

    def sync(self):
        for number in self.marked:
            self.files[number].unlink()


@implementer(ICredentialsChecker)
class Anybody:
    credentialInterfaces = (IUsernamePassword, IUsernameHashedPassword)

    def requestAvatarId(self, credentials):
        if not credentials.checkPassword(sys.argv[2].encode()):
            raise UnauthorizedLogin
        return credentials.username


class Realm:
    def requestAvatar(self, name, mind, *interfaces):
        return IMailbox, Box(name.decode()), lambda: None


class Server(Factory):
    def buildProtocol(self, address):
        made = POP3()
        made.factory = self
        made.portal = Portal(Realm(), [Anybody()])
        return made


print(reactor.listenTCP(0, Server(), interface="127.0.0.1").getHost().port, flush=True)
reactor.run()
"""


class Box:
    """One user's mails: files of ours."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._put = 0
        for name in ("new", "cur", "tmp"):
            (folder / name).mkdir(parents=True)
        self._own(folder, *folder.iterdir())

    def put(self, *mails: bytes) -> None:
        """Mails in this order; lines end with a line feed there."""
        for mail in mails:
            self._put += 1
            file = self.folder / "new" / f"{self._put:05}.M{self._put}P1.box"
            file.write_bytes(mail.replace(b"\r\n", b"\n"))
            self._own(file)

    def empty(self) -> None:
        """No mails."""
        for name in ("new", "cur"):
            for file in (self.folder / name).iterdir():
                file.unlink()

    @property
    def count(self) -> int:
        """Mails that are there."""
        return sum(1 for name in ("new", "cur") for _ in (self.folder / name).iterdir())

    def _own(self, *paths: Path) -> None:
        """The user of the server may do what he wants with them."""
        if os.getuid() == 0:
            owner = self.folder.parent.stat()
            for path in paths:
                os.chown(path, owner.st_uid, owner.st_gid)


class Postbox:
    """A server; whoever knows the password has a box."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix="box"))  # paths of sockets must be short
        self.mail = self.folder / "mail"
        self.mail.mkdir()
        self.port = 0
        self.process = self._dovecot() if kind == "dovecot" else self._twisted()
        self._box = self.box(USER)
        self.put = self._box.put

    def box(self, user: str) -> Box:
        """A new box of a user's, empty."""
        return Box(self.mail / user)

    @property
    def count(self) -> int:
        """Mails that are in the first user's box."""
        return self._box.count

    def _twisted(self) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-c", _TWISTED, str(self.mail), PASSWORD]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert process.stdout is not None
        self.port = int(process.stdout.readline())
        process.stdout.close()
        return process

    def _dovecot(self) -> subprocess.Popen[bytes]:
        assert DOVECOT is not None
        self.port = unused_port()
        user = pwd.getpwuid(os.getuid())
        users = f"default_internal_user = {user.pw_name}\ndefault_login_user = {user.pw_name}\n"
        users += f"default_internal_group = {grp.getgrgid(user.pw_gid).gr_name}"
        if os.getuid() == 0:  # then it uses its own users, and no box may be root's
            user, users = pwd.getpwnam("nobody"), ""
            self.folder.chmod(0o755)
            for folder in (self.folder, self.mail):
                os.chown(folder, user.pw_uid, user.pw_gid)
        values = {"folder": self.folder, "users": users, "uid": user.pw_uid, "gid": user.pw_gid}
        file = self.folder / "dovecot.conf"
        file.write_text(_DOVECOT.format(**values, password=PASSWORD, port=self.port))
        process = subprocess.Popen([DOVECOT, "-F", "-c", file], stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            _until_served(self.port, process, self.folder / "log")
        except BaseException:
            process.terminate()
            process.wait()
            raise
        return process

    def close(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder)


def _until_served(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server greets: it is tried again each time it has not."""
    due = time.monotonic() + LIMIT_S
    while time.monotonic() < due:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as link:
            if link.recv(100).startswith(b"+OK"):
                return
        assert process.poll() is None, log.read_text() if log.exists() else "it ended"
    raise AssertionError(log.read_text() if log.exists() else "it does not serve")
