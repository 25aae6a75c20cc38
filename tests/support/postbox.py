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
{users}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail
pop3_uidl_format = %f
passdb {{
  driver = static
  args = user={login} password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}
}}
service anvil {{
  chroot =
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
from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import reactor
from twisted.internet.protocol import Factory
from twisted.mail.pop3 import IMailbox, POP3, Mailbox


class Box(Mailbox):
    def __init__(self):
        self.files = sorted(Path(sys.argv[1]).glob("*/*"), key=lambda path: path.name)
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


class Realm:
    def requestAvatar(self, name, mind, *interfaces):
        return IMailbox, Box(), lambda: None


class Server(Factory):
    def buildProtocol(self, address):
        made = POP3()
        made.factory = self
        made.portal = Portal(Realm(), [InMemoryUsernamePasswordDatabaseDontUse(**{sys.argv[2]: sys.argv[3].encode()})])
        return made


print(reactor.listenTCP(0, Server(), interface="127.0.0.1").getHost().port, flush=True)
reactor.run()
"""


class Postbox:
    """A server with one box; its mails are files of ours."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix="box"))  # paths of sockets must be short
        self.box = self.folder / "mail"
        for name in ("new", "cur", "tmp"):
            (self.box / name).mkdir(parents=True)
        self.port = 0
        self.process = self._dovecot() if kind == "dovecot" else self._twisted()

    def put(self, *mails: bytes) -> None:
        """Mails in this order; lines end with a line feed there."""
        for number, mail in enumerate(mails):
            file = self.box / "new" / f"{number:05}.M{number}P1.box"
            file.write_bytes(mail.replace(b"\r\n", b"\n"))
            if os.getuid() == 0:
                os.chown(file, self.box.stat().st_uid, self.box.stat().st_gid)

    @property
    def count(self) -> int:
        """Mails that are there."""
        return sum(1 for name in ("new", "cur") for _ in (self.box / name).iterdir())

    def _twisted(self) -> subprocess.Popen[bytes]:
        arguments = [sys.executable, "-c", _TWISTED, str(self.box), USER, PASSWORD]
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
            for folder in (self.folder, self.box, *self.box.iterdir()):
                os.chown(folder, user.pw_uid, user.pw_gid)
        values = {"folder": self.folder, "users": users, "uid": user.pw_uid, "gid": user.pw_gid}
        file = self.folder / "dovecot.conf"
        file.write_text(_DOVECOT.format(**values, login=USER, password=PASSWORD, port=self.port))
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
