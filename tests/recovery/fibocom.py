"""The day of a Fibocom host."""

from __future__ import annotations

from contextlib import suppress

from matrix.fibocom import FibocomHost
from matrix.host import OK, Failure

from recovery.program import HERE, MUCH, Doing, Program, State, common
from recovery.servers import DEAF, HOLD, TIME

LOST = b"+MIPCALL: 0"


class FibocomProgram(Program):
    """See the module's text."""

    host: FibocomHost
    bad_news = (b"ERROR", b"+MIPSTAT: ", b"+MIPCALL: 0", b"+MPINGSTAT: 2", b"+MIPNTP: 0")
    no_bearer = ("2031",)

    def up(self) -> None:
        self.host.told.clear()
        self.host.up()

    def was_told(self, heard: bytes) -> bool:
        return LOST in heard

    def is_up(self) -> bool:
        said = self.line.ask("AT+MIPCALL?")
        assert said.startswith(b"\r\n+MIPCALL: "), said
        return said.startswith(b"\r\n+MIPCALL: 1")

    def tidy(self) -> None:
        for number in range(1, 5):
            with suppress(Failure):
                self.host.command(f"AT+MIPCLOSE={number}", limit_s=40)
        self.lab.wait(5.0)
        self.line.rest()
        self.host.forgets()

    # -- the bearer ----------------------------------------------------------------------------------------------------

    def starting(self) -> Doing:
        self.lab.faults.trouble.bearer_delay_s = 20.0
        self.begun(b'AT+MIPCALL=1,"apn"\r')
        assert self.line.rest() == OK
        return Doing((b"+MIPCALL: 10.",))

    def stopping(self) -> Doing:
        self.unanswered(b"AT+MIPCALL=0\r")
        return Doing((LOST,), dies=False)

    # -- sockets -------------------------------------------------------------------------------------------------------

    def connecting(self) -> Doing:
        self.begun(f'AT+MIPOPEN=1,,"{HERE}",{DEAF},0\r'.encode())
        assert self.line.rest() == OK
        return Doing((b"+MIPOPEN: 1,", b"+MIPSTAT: 1,"))

    def connected(self) -> Doing:
        self.host.connect(HERE, HOLD)
        return Doing()

    def online(self) -> Doing:
        self.host.connect(HERE, HOLD, "online")
        return Doing(in_data=True, ends=b"+++")

    def sending_online(self) -> Doing:
        self.host.connect(HERE, HOLD, "online").send(MUCH)
        return Doing(in_data=True, ends=b"+++")

    def sending(self) -> Doing:
        self.host.connect(HERE, HOLD)
        self.host.command(f'AT+MIPSEND=1,"{"78" * 500}"')
        self.unanswered(b"AT+MIPPUSH=1\r")
        return Doing((OK,))

    def prompted(self) -> Doing:
        self.host.connect(HERE, HOLD, "prompted")
        self.line.say(b"AT+MIPSEND=1,20\r")
        self.line.until(b">")
        self.line.say(b"half")
        self.lab.wait(0.1)
        return Doing()

    def receiving(self) -> Doing:
        self.host.connect(HERE, HOLD, "online")
        self.lab.servers.held[-1][1].write(MUCH)
        self.lab.wait(0.002)
        return Doing(in_data=True, ends=b"+++")

    def closing(self) -> Doing:
        self.host.connect(HERE, HOLD)
        self.unanswered(b"AT+MIPCLOSE=1\r")
        return Doing((b"+MIPCLOSE: 1,",), dies=False)

    def accepted(self) -> Doing:
        listening = self.host.listen(7777)
        self.lab.call(7777)
        listening.accepted()
        return Doing()

    def speaks(self) -> Doing:
        self.host.udp(HERE, 9999)
        return Doing()

    # -- the rest ------------------------------------------------------------------------------------------------------

    def pinging(self) -> Doing:
        self.begun(f'AT+MPING=1,"{HERE}",20,32,64,0,1000\r'.encode())
        self.line.rest()
        return Doing((b"+MPINGSTAT: ",))

    def looking_up(self) -> Doing:
        self.unanswered(b'AT+MIPDNS="server.example"\r')
        return Doing((OK,))

    def looks_up(self) -> None:
        assert self.host.located("server.example") == HERE

    def asking_the_time(self) -> Doing:
        self.unanswered(f'AT+MIPNTP="{HERE}",{TIME + 1}\r'.encode(), 3.0)
        return Doing((b"+MIPNTP: ",))

    def asks_the_time(self) -> None:
        self.host.command(f'AT+MIPNTP="{HERE}",{TIME}')
        assert self.line.until(b"+MIPNTP: 1\r\n", b"+MIPNTP: 0", limit_s=40).endswith(b"1\r\n")


_P = FibocomProgram
FibocomProgram.states = [
    *common(_P),
    State("online", "TCP client", _P.online, _P.talks),
    State("sending online", "TCP client", _P.sending_online, _P.talks),
    State("data prompted", "TCP client", _P.prompted, _P.talks),
    State("name look-up", "names", _P.looking_up, _P.looks_up),
    State("time", "time", _P.asking_the_time, _P.asks_the_time),
]
