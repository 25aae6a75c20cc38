"""Secrets never appear in a trace (SEMANTICS 1.8): every parameter that a dialect's file marks, in every form."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cuts import bytewise, splits
from support.fake import SimModule

from gateway.dialect import registry
from gateway.dialect.schema import Argument, Form
from gateway.model.requests import ConnectTcp, StartBearer
from gateway.model.services import OpenSmtp
from gateway.model.values import BearerKind, Endpoint, HostSocket, Secret
from gateway.trace.mask import MASK, Masker
from gateway.trace.record import PIECE_BYTES, Recorder, TraceFile
from gateway.wire.command import ABANDON_S, CommandLineReader, Line
from gateway.wire.settings import LineSettings

VALUE = "xS3cr3t-9"
SHORT = "Zq"
"""Too short to be known by its value: found by its place alone."""


def parameters() -> list[tuple[str, str]]:
    """Every stored parameter that is a secret, of every dialect."""
    found = []
    for name in registry.ids():
        table = registry.load(name).tables
        found += [(name, parameter) for parameter, entry in table.parameters.items() if entry.secret]
    return found


def options() -> list[tuple[str, str, str]]:
    """Every numbered option that is a secret."""
    found = []
    for name in registry.ids():
        for command, table in registry.load(name).tables.options.items():
            found += [(name, command, number) for number, option in table.items() if option.secret]
    return found


def arguments() -> list[tuple[str, str, int, str]]:
    """Every form of a command that has secret arguments: dialect, command, number of the form, and a line of it."""
    found = []
    for name in registry.ids():
        for command, table in registry.load(name).tables.commands.items():
            for number, form in enumerate(table.forms):
                taken = [argument.rstrip("?") for argument in form.takes]
                known = {each: table.arguments[each] for each in taken if not each.endswith("*")}
                if form.op == "set" and any(argument.secret for argument in known.values()):
                    written = ",".join(_written(argument, each, form) for each, argument in known.items())
                    found.append((name, command, number, f"{command}={written}"))
    return found


def _written(argument: Argument, name: str, form: Form) -> str:
    if argument.secret:
        return f'"{SHORT}"'
    if name in form.when:
        return str(form.when[name][0])
    if argument.values:
        return str(next(iter(argument.values)))
    return str(argument.minimum or 1) if argument.kind in ("int", "port") else '"te;xt,"'


def masker(*dialects: str) -> Masker:
    """What the trace of a session between these has."""
    return Masker(*(registry.load(name).tables for name in dialects))


def recorded(
    path: Path, who: Masker, side: str, direction: str, pieces: Iterable[bytes], settings: LineSettings | None = None
) -> str:
    """What stands in a trace of bytes that came in pieces."""
    path.unlink(missing_ok=True)
    recorder = Recorder([TraceFile(path)], who, {})
    if settings is not None:
        recorder.follow(settings)
    for piece in pieces:
        recorder.data(side, direction, piece, lines=True)
    recorder.close()
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return "".join(record.get("data", "") for record in records)


def halves(data: bytes) -> list[list[bytes]]:
    """Whole, byte by byte, and in two pieces cut at every place."""
    cuts = [[data[:at], data[at:]] for at in range(1, len(data))]
    return [[data], list(bytewise(data)), *cuts]


def test_the_tables_have_secrets() -> None:
    """The tests below have something to test, in every dialect: user names and passwords of all services."""
    with_secrets = {found[0] for found in (*parameters(), *options(), *arguments())}
    assert with_secrets == set(registry.ids())
    edsoft = {parameter for name, parameter in parameters() if name == "edsoft-3.02"}
    services = ("APN", "ISP", "FTP", "POP3", "SMTP", "PPPSERV")
    assert edsoft == {f"{service}{kind}" for service, kind in itertools.product(services, ("UN", "PW"))}


@pytest.mark.parametrize(("dialect", "name"), parameters())
class TestParameters:
    """``AT#APNPW="..."`` and what shows it."""

    @pytest.mark.parametrize("value", [VALUE, SHORT])
    @pytest.mark.parametrize(
        "form",
        [
            'AT#{}="{}"\r',
            'at#{}="{}"\r',
            'AT#{} = "{}"\r\n',
            'AT#{}={}\r',
            'AT#TCPPORT=1,8080;#{}="{}";#TCPPORT=2,8081\r',
            'AT#{}="{}"\r\r\n\r\nOK\r\n',
        ],
    )  # fmt: skip
    def test_set(self, tmp_path: Path, dialect: str, name: str, value: str, form: str) -> None:
        named = name.lower() if form.startswith("at") else name
        command = form.format(named, value).encode()
        for pieces in halves(command) if value == VALUE else [[command], list(bytewise(command))]:
            text = recorded(tmp_path / "trace", masker(dialect), "host", "in", pieces)
            assert value not in text, text
            assert MASK in text and named in text, "only the value is hidden"
            assert text.count("TCPPORT") == form.count("TCPPORT")
            assert text.count("8080") == form.count("8080") and text.count("8081") == form.count("8081")

    def test_read(self, tmp_path: Path, dialect: str, name: str) -> None:
        answer = f'\r\n#{name}: "{SHORT}"\r\n\r\nOK\r\n'.encode()
        for pieces in halves(answer):
            text = recorded(tmp_path / "trace", masker(dialect), "host", "out", pieces)
            assert SHORT not in text and text.startswith(f"\r\n#{name}: ") and text.endswith("\r\n\r\nOK\r\n")

    def test_in_what_the_line_became(self, dialect: str, name: str) -> None:
        """A note of the command line, behind its AT."""
        noted = masker(dialect).plain({"what": f'#{name}="{SHORT}"', "parts": [f'#{name}="{SHORT}"'], "more": {"x": 1}})
        assert SHORT not in json.dumps(noted) and noted["more"] == {"x": 1}

    def test_with_a_semicolon_in_it(self, dialect: str, name: str) -> None:
        """Within quotes a semicolon is no end of a command (V.250, 5.2.1)."""
        assert "tail" not in masker(dialect).text(f'AT#{name}="head;tail"\r')

    @pytest.mark.parametrize("value", ["a;b", "a,b", "12", "007", "=", "#", "AT#VGPRS", "+++", "x;#TCPPORT=1"])
    def test_whatever_it_is(self, tmp_path: Path, dialect: str, name: str, value: str) -> None:
        """What is within quotes has no meaning for the line; what stands behind them is shown again."""
        for pieces in halves(f'AT#{name}="{value}";#TCPPORT=2,8081\r'.encode()):
            text = recorded(tmp_path / "trace", masker(dialect), "host", "in", pieces)
            assert text == f"AT#{name}={MASK};#TCPPORT=2,8081\r"

    def test_with_a_slip_of_the_finger(self, dialect: str, name: str) -> None:
        """V.250, 5.2.2: the command line is what is left when backspaces have been carried out."""
        typed = f"AT#{name[:2]}x\b{name[2:]}"
        assert SHORT not in masker(dialect).text(f'{typed}="{SHORT}"\r')


def typed(*registers: tuple[int, int]) -> LineSettings:
    """Settings with other S-registers."""
    settings = LineSettings()
    settings.registers.update(registers)
    return settings


class TestTyping:
    """The trace has the bytes as they were typed; the secret is in what they mean (V.250, 5.2 and 6.2)."""

    @pytest.mark.parametrize(
        "line",
        [
            'AT#APNPX\bW="Zq"\r',
            'AT#APNPW="xy\b\bZq"\r',
            'AT#APNPW="Zq\bq"\r',
            'AT#APNPW="Zq"x\b\r',
            'AT#APNX\bPW="Zq"\b\b\b\b\r',
            'AT#APNPW="Zq"\b\b\b\b\b\b\b\b\b\b\b\b+CSQ\r',
            'AT#APNPX\bW="Zq"\b\b\b\b\b\b\b\b\b\b\b\b\b\b#VGPRS\r',
            "AT#AP\x00N\x7fPW=\x01Zq\r",
            'AT#APNPW="Z\x11q"\r',
            'AT#APNPW="\x1aZq"\r',
            'A\nT#APNPW="Zq"\r',
            '\x00"noise AT#APNPW="a;Zq"\r',
        ],
    )
    def test_editing(self, tmp_path: Path, line: str) -> None:
        for direction in ("in", "out"):  # and its echo
            for pieces in halves(line.encode("latin-1")):
                text = recorded(tmp_path / "trace", masker("edsoft-3.02"), "host", direction, pieces)
                assert "Z" not in text and "q" not in text.lower().replace("csq", ""), text

    def test_what_was_taken_back_by_length_alone(self) -> None:
        assert masker("edsoft-3.02").text("AT+CSX\bQ\rxy\bz") == "AT+CS*\bQ\rxy\bz"

    @pytest.mark.parametrize(
        ("registers", "line"),
        [
            ([(3, 30)], 'AT#APNPW="Zq"\x1e'),
            ([(3, 30)], 'AT#APNPW="Z\rq"\x1e'),
            ([(3, 30)], "AT#APN\rPW=Z\rq\x1e"),
            ([(3, 30), (4, 31)], "AT#APN\nPW=Z\nq\x1e"),
            ([(5, 24)], 'AT#APNPX\x18W="Zq"\r'),
            ([(5, 24)], 'AT#APNP\bW="Zq"\r'),
            ([(5, 88)], 'AT#APNPWWX="Zq"\r'),
        ],
    )
    def test_other_characters(self, tmp_path: Path, registers: list[tuple[int, int]], line: str) -> None:
        """S3 ends a line, S4 is swallowed behind it, S5 takes back; other control characters mean nothing."""
        settings = typed(*registers)
        for direction in ("in", "out"):
            for pieces in halves(line.encode()):
                text = recorded(tmp_path / "trace", masker("edsoft-3.02"), "host", direction, pieces, settings)
                assert "Z" not in text and "q" not in text, text

    def test_what_they_leave_is_recorded_at_once(self, tmp_path: Path) -> None:
        recorder = Recorder([TraceFile(tmp_path / "trace")], masker("edsoft-3.02"), {})
        recorder.follow(typed((3, 30)))
        recorder.data("host", "in", b"AT+CSQ\x1e", lines=True)
        assert "AT+CSQ" in (tmp_path / "trace").read_text()
        recorder.close()

    @given(st.data())
    def test_as_the_modem_reads_it(self, data: st.DataObject) -> None:
        """Anything typed that the modem takes for the command: the trace does not show the value."""
        odd = st.sampled_from([b"", b"", b"\x01", b"x\b", b"xy\b\b", b"\x7f", b"\x11", b'"\b', b";\b"])
        line = b"AT" + b"".join(bytes([byte]) + data.draw(odd) for byte in b'#APNPW="ZZZ"') + b"\r"
        reader = CommandLineReader(LineSettings(), 2048)
        item, _ = reader.feed(line, 0, 0.0)
        assert item == Line(b'AT#APNPW="ZZZ"')
        echo = bytes(reader.echo)
        for direction, pieces in (("in", data.draw(splits(line))), ("out", data.draw(splits(echo)))):
            written: list[str] = []
            recorder = Recorder([TraceFile(Path("/dev/null"))], masker("edsoft-3.02"), {})
            recorder._write = lambda record, written=written: written.append(record["data"])  # type: ignore[method-assign]
            for piece in pieces:
                recorder.data("host", direction, piece, lines=True)
            recorder.close()
            assert "Z" not in "".join(written), written


class TestProtocols:
    """What a host says itself to a server, without TLS."""

    @pytest.mark.parametrize(
        "line",
        [
            "PASS s3cret", "pass s3cret", "PASS  s3cret;,\"", "AUTH PLAIN AG1ldGVyAHMzY3JldA==", "AUTH LOGIN s3cret",
            "a1 AUTHENTICATE PLAIN s3cret", 'a1 LOGIN meter "s3cret"', "Authorization: Basic s3cret==",
            "proxy-authorization: Digest s3cret",
        ],
    )  # fmt: skip
    def test_hidden(self, line: str) -> None:
        who = masker("wipsoft-5.57")
        shown = who.text(f"USER meter\r\n{line}\r\nQUIT\r\n")
        assert "s3cret" not in shown and "AG1l" not in shown
        assert shown.startswith("USER meter\r\n") and shown.endswith(f"{MASK}\r\nQUIT\r\n")
        assert who.text("s3cret") == "s3cret", "what a peer says does not become a secret everywhere"

    @pytest.mark.parametrize("line", ["compass north", "bypass 1", "PASS", "AUTH LOGIN", "LOGIN", "The pass is open"])
    def test_shown(self, line: str) -> None:
        assert masker("wipsoft-5.57").text(f"{line}\r\n") == f"{line}\r\n"


class TestCuts:
    """However the bytes are cut, a secret is not."""

    def test_behind_a_data_phase(self, tmp_path: Path) -> None:
        """Its end and half a command come together: the first bytes are recorded in the data phase."""
        said = b'payload "at\x03AT#APNPW="a;Zq"\r'
        end = said.index(b"\x03") + 1
        for at in range(end, len(said)):
            recorder = Recorder([TraceFile(tmp_path / "trace")], masker("edsoft-3.02"), {})
            recorder.data("host", "in", said[:at], lines=False)
            recorder.data("host", "in", said[at:], lines=True)
            recorder.close()
            text = (tmp_path / "trace").read_text()
            assert "Zq" not in text and "payload" in text

    def test_a_command_that_is_too_long(self, tmp_path: Path) -> None:
        """It is refused, but it was meant: what comes behind a record's limit is counted, not shown."""
        line = b'AT#APNUN="' + b"x" * 6000 + b'Zq";#APNPW="Zq"\rAT+CSQ\r'
        for size in (1, 1000, 4096, 5000, len(line)):
            pieces = [line[at : at + size] for at in range(0, len(line), size)]
            text = recorded(tmp_path / "trace", masker("edsoft-3.02"), "host", "in", pieces)
            assert "Zq" not in text and text.endswith("\rAT+CSQ\r")

    def test_a_command_that_was_given_up(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A quote of a line that the modem has forgotten does not reach into the next."""
        now = [0.0]
        monkeypatch.setattr("gateway.trace.record.time.monotonic", lambda: now[0])
        recorder = Recorder([TraceFile(tmp_path / "trace")], masker("edsoft-3.02"), {})
        recorder.data("host", "in", b'AT#TCPSERV="abc', lines=True)
        now[0] += ABANDON_S
        recorder.data("host", "in", b'AT#APNPW="a;Zq"\r', lines=True)
        recorder.close()
        text = (tmp_path / "trace").read_text()
        assert "Zq" not in text and "abc" in text

    def test_payload_without_end_costs_little(self) -> None:
        """A peer must not be able to stop the session by what it sends."""
        who = masker("wipsoft-5.57")
        for piece in ("+CLCK=a", "+CGAUTH=", "*03*a", "+WIPFILE=5,1,1,", "at"):
            begun_s = time.process_time()
            who.text(piece * (PIECE_BYTES * 16 // len(piece)))
            assert time.process_time() - begun_s < 1.0


class TestDisplays:
    """Commands that show everything: the host sees it, the trace does not."""

    @pytest.mark.parametrize("dialect", sorted({name for name, _ in parameters()}))
    @pytest.mark.parametrize("verbose", ["ATV1", "ATV0"])
    def test_all_of_them(self, tmp_path: Path, dialect: str, verbose: str) -> None:
        names = [name for other, name in parameters() if other == dialect]
        module = SimModule(dialect)
        for number, name in enumerate(names):
            assert module.ask(f'AT#{name}="{SHORT}{number}"') == "OK"
        module.ask(verbose)
        module.say(b"AT#VALL\r")
        shown = module.read()
        assert all(f"{SHORT}{number}".encode() in shown for number in range(len(names))), "the host itself sees them"
        cuts = [[shown], list(bytewise(shown)), [shown[:777], shown[777:1111], shown[1111:]]]
        for pieces in cuts:
            text = recorded(tmp_path / "trace", masker(dialect), "host", "out", pieces)
            assert SHORT not in text
            assert all(f"#{name}: {MASK}" in text for name in names)
            assert len(text.splitlines()) == len(shown.decode().splitlines())

    @given(st.data())
    def test_at_any_cuts(self, data: st.DataObject) -> None:
        """By lines: a secret is never cut in two."""
        shown = b"\r\n".join(b'#%s: "%s"' % (name.encode(), SHORT.encode()) for _, name in parameters()) + b"\r\n"
        pieces = data.draw(splits(shown))
        written: list[str] = []
        recorder = Recorder([TraceFile(Path("/dev/null"))], masker("edsoft-3.02"), {})
        recorder._write = lambda record: written.append(record["data"])  # type: ignore[method-assign]
        for piece in pieces:
            recorder.data("host", "out", piece, lines=True)
        recorder.close()
        assert SHORT not in "".join(written)


@pytest.mark.parametrize(("dialect", "command", "number"), options())
class TestOptions:
    """``AT+WIPBR=2,6,1,"..."`` (5.57 guide, 4.2.3), and what reads it."""

    @pytest.mark.parametrize("bearer", [5, 6, 14])
    def test_set_and_read(self, tmp_path: Path, dialect: str, command: str, number: str, bearer: int) -> None:
        for line in (
            f'AT{command}=2,{bearer},{number},"{SHORT}"\r',
            f'at{command.lower()} = 2 , {bearer} , {number} , "{SHORT}"\r',
            f'AT{command}="2","{bearer}","{number}","a;{SHORT}"\r',
            f"AT{command}=02,00{bearer},0{number},{SHORT}\r",
            f'AT{command}=2,{bearer},11,"internet";{command}=2,{bearer},{number},"{SHORT}"\r',
            f'\r\n{command}: {bearer},{number},"{SHORT}"\r\n\r\nOK\r\n',
        ):
            for pieces in halves(line.encode()):
                text = recorded(tmp_path / "trace", masker(dialect), "module", "in", pieces)
                assert SHORT not in text and MASK in text
                assert text.count("internet") == line.count("internet"), "an access point's name is no secret"


@pytest.mark.parametrize(("dialect", "command", "number", "line"), arguments())
class TestArguments:
    """Secret arguments of commands, whatever stands before and behind them."""

    def test_in_every_form(self, tmp_path: Path, dialect: str, command: str, number: int, line: str) -> None:
        text = recorded(tmp_path / "trace", masker(dialect), "host", "in", [f"AT{line};+CSQ\r".encode()])
        assert SHORT not in text and MASK in text
        assert text.startswith(f"AT{command}=") and text.endswith(";+CSQ\r")


def test_the_addresses_of_a_caller_are_no_secret(tmp_path: Path) -> None:
    """+WIPBR: bearer, status, addresses (4.2.2): neither there nor wherever they come again."""
    hides = masker("wipsoft-5.57")
    for line in ("\r\n+WIPBR: 5,0,127.1.0.1,10.0.0.2,0.0.0.0,0.0.0.0\r\n", '\r\n+WIPBR: 6,15,"127.1.0.1"\r\n'):
        text = recorded(tmp_path / "trace", hides, "module", "in", [line.encode()])
        assert "127.1.0.1" in text and MASK not in text


class TestGuide:
    """Examples of the 5.57 guide with a user's name and password in them: 4.2, 5.1, 6.1 and chapter 8."""

    @pytest.mark.parametrize(
        ("command", "shown"),
        [
            ('AT+WIPBR=4,6,0,"Zq1","Zq2"', "AT+WIPBR=4,6,0,"),
            ('AT+WIPBR=4,5,1,"Zq1","Zq2","0123"', "AT+WIPBR=4,5,1,"),
            ('AT+WIPCREATE=4,1,"ftp.example","Zq1","Zq2"', '"ftp.example"'),
            ('AT+WIPCREATE=4,1,"ftp.example",21,"Zq1","Zq2"', '"ftp.example",21,'),
            ('AT+WIPCREATE=4,1,"ftp.example",,"Zq1","Zq2","Zq3"', '"ftp.example"'),
            ('AT+WIPCREATE=5,1,"proxyaddress", ,"Zq1","Zq2","User-Agent", "WIP"', '"proxyaddress"'),
            ('AT+WIPCREATE=5,1,"proxyaddress",81,"Zq1","Zq2"', '"proxyaddress",81,'),
            ('AT+WIPCREATE=6,1,"smtp.example","587","Zq1","Zq2"', '"smtp.example","587"'),
            ('AT+WIPCREATE=6,1,"smtp.example",25,"Zq1","Zq2"', '"smtp.example",25,'),
            ('AT+WIPCREATE=7,1,"192.168.1.4", 110,"Zq1","Zq2"', '"192.168.1.4", 110,'),
            ('AT+WIPFILE=5,1,1,"urlForGet","Zq1","Zq2","Accept","text/html"', '"urlForGet"'),
            ('\r\n+WIPREADY: 4,1,"1.2.3.4","Zq1","Zq2"\r\n', '"1.2.3.4"'),
        ],
    )
    def test_sessions(self, tmp_path: Path, command: str, shown: str) -> None:
        data = command.encode() if command.startswith("\r") else command.encode() + b"\r"
        for pieces in halves(data):
            text = recorded(tmp_path / "trace", masker("wipsoft-5.57"), "host", "in", pieces)
            assert SHORT not in text, text
            assert shown in text, "what is no secret can be read"

    @pytest.mark.parametrize("mode", [5, 6, 7])
    def test_sessions_without_a_port(self, mode: int) -> None:
        """5.1.2: ``<server>[,<peer port>][,<username>,<password>]``, the port left out as in its FTP example."""
        who = masker("wipsoft-5.57")
        for server in ('"mail.example"', '"mail;a,b"', ""):
            for user in ('"Zq1"', '"25"', "Zq1"):
                text = who.text(f'AT+WIPCREATE={mode},1,{server},{user},"Zq2"\r')
                assert SHORT not in text and user not in text and server in text


class TestStandard:
    """Commands outside the dialects that have a PIN or a password (3GPP TS 27.007), whatever the dialect."""

    @pytest.mark.parametrize(
        "command",
        [
            "AT+CPIN=Zq1",
            'AT+CPIN="Zq1"',
            'at+cpin = "Zq1","Zq2"',
            'AT+CPIN2="Zq1"',
            'AT+CPWD="SC","Zq1","Zq2"',
            'AT+CLCK="SC",1,"Zq1"',
            'AT+CLCK="SC",0,"Zq1",7',
            'AT+CPUC="EUR","0.10","Zq1"',
            'AT+CGAUTH=1,1,"Zq1","Zq2"',
            'AT+CMEE=1;+CPIN="Zq1";+CMGF=1',
            'AT+CLCK="S,C","1","Zq1"',
            "ATD**04*Zq1*Zq2*Zq2#",
            "ATD**052*Zq1*Zq2*Zq2#;",
            "ATD*03*330*Zq1*Zq2*Zq2#",
        ],
    )
    def test_never_shown(self, tmp_path: Path, command: str) -> None:
        for pieces in halves(command.encode() + b"\r"):
            text = recorded(tmp_path / "trace", masker(), "host", "in", pieces)
            assert SHORT not in text
            assert text.count("+CMGF=1") == command.count("+CMGF=1")

    @pytest.mark.parametrize("text", ["AT+CPIN?\r", "\r\n+CPIN: SIM PIN\r\n", 'AT+CLCK="SC",2\r', "AT+CGATT=1\r"])
    def test_what_has_no_secret_stays(self, text: str) -> None:
        assert masker("edsoft-3.02", "wipsoft-5.57").text(text) == text


class TestKnownValues:
    """A secret that was seen once is hidden wherever it turns up."""

    def test_in_another_command(self) -> None:
        who = masker("edsoft-3.02")
        who.text(f'AT#APNPW="{VALUE}"\r')
        assert who.text(f'AT+XAUTH=1,"{VALUE}"\r') == f'AT+XAUTH=1,"{MASK}"\r'

    def test_of_a_request(self) -> None:
        """A stored secret that was never typed in this session."""
        who = masker("edsoft-3.02")
        request = StartBearer(BearerKind.GPRS, "internet", Secret("meter-7"), Secret(VALUE))
        noted = who.plain({"what": "StartBearer", "value": request})
        assert noted["value"]["access_point"] == "internet" and noted["value"]["kind"] == "gprs"
        assert noted["value"]["user"] == noted["value"]["password"] == MASK
        assert who.text(f"anything {VALUE} anywhere") == f"anything {MASK} anywhere"

    def test_no_secret_at_all(self) -> None:
        who = masker("edsoft-3.02")
        noted = who.plain({"value": ConnectTcp(HostSocket(1), Endpoint("server.example", 80))})
        assert noted["value"]["socket"] == 1 and noted["value"]["peer"] == {"host": "server.example", "port": 80}
        assert who.plain(StartBearer(BearerKind.GPRS))["password"] == ""

    def test_short_values_are_not_searched_for(self) -> None:
        """A password of two letters stands in every other word."""
        who = masker("edsoft-3.02")
        who.text('AT#APNPW="OK"\r')
        assert who.text("\r\nOK\r\n") == "\r\nOK\r\n"

    def test_one_within_another(self) -> None:
        who = masker("edsoft-3.02")
        for value in ("secret", "secret-and-more"):
            who.text(f'AT#APNPW="{value}"\r')
        assert "more" not in who.text("secret-and-more")

    def test_characters_with_a_meaning_for_patterns(self) -> None:
        who = masker("edsoft-3.02")
        who.text('AT#APNPW="a.*+?(b"\r')
        assert who.text("x a.*+?(b y") == f"x {MASK} y"
        assert who.text("x axxxb y") == "x axxxb y"


class TestLogins:
    """What a server is told of a user, by the gateway itself, over a module's socket."""

    LOGIN = OpenSmtp(HostSocket(1), Endpoint("mail.example", 25), "meter", Secret("s3cret"))

    @pytest.mark.parametrize(
        "said",
        [
            b"AUTH PLAIN AG1ldGVyAHMzY3JldA==\r\n",
            b"Authorization: Basic bWV0ZXI6czNjcmV0\r\n",
            b"czNjcmV0\r\n",
            b"PASS s3cret\r\n",
            b'AT+MIPSEND=1,"504153532073336372657420"\r',
            b'AT+MIPSEND=1,"4155544820504C41494E2041473174"\r',
        ],
    )
    def test_it_is_masked_in_every_writing(self, said: bytes) -> None:
        masker = Masker(registry.load("edsoft").tables)
        masker.plain(self.LOGIN)
        shown = masker.text(said.decode("latin-1"))
        secrets = ("AG1ldGVyAHMzY3JldA", "bWV0ZXI6czNjcmV0", "czNjcmV0", "s3cret", "733363726574")
        assert not any(secret in shown for secret in secrets)
