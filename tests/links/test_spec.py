"""What a user types for a link (CONTRACT, Links)."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import InputError
from gateway.links.handler import HandlerLink
from gateway.links.make import make_link
from gateway.links.net import ConnectLink, ListenLink
from gateway.links.spec import LinkSpec, SerialSettings, parse_link
from gateway.links.tty import PtyLink, SerialLink


def wrong(text: str) -> str:
    """What is said about a link that is wrong."""
    with pytest.raises(InputError) as caught:
        parse_link(text)
    message = str(caught.value)
    assert "\n" not in message, "one sentence"
    return message


class TestForms:
    """Each form of the contract is read, and has the link that does it."""

    @pytest.mark.parametrize(
        ("text", "kind", "target", "link"),
        [
            ("/dev/ttyUSB0", "device", "/dev/ttyUSB0", SerialLink),
            ("/dev/serial/by-id/usb-FTDI-port0", "device", "/dev/serial/by-id/usb-FTDI-port0", SerialLink),
            ("COM3", "device", "COM3", SerialLink),
            ("pty:/tmp/host", "pty", "/tmp/host", PtyLink),
            ("pty:host", "pty", "host", PtyLink),
            ("socket://10.0.0.1:4000", "url", "socket://10.0.0.1:4000", ConnectLink),
            ("socket://[::1]:4000", "url", "socket://[::1]:4000", ConnectLink),
            ("socket://modem.example:4000/", "url", "socket://modem.example:4000/", ConnectLink),
            ("rfc2217://10.0.0.1:4000", "url", "rfc2217://10.0.0.1:4000", HandlerLink),
            ("loop://", "url", "loop://", HandlerLink),
            ("spy:///dev/ttyUSB0", "url", "spy:///dev/ttyUSB0", HandlerLink),
            ("tcp-listen://0.0.0.0:4000", "tcp-listen", "0.0.0.0:4000", ListenLink),
            ("tcp-listen://[::]:0", "tcp-listen", "[::]:0", ListenLink),
            ("tls-listen://127.0.0.1:4000?cert=a.pem", "tls-listen", "127.0.0.1:4000", ListenLink),
        ],
    )  # fmt: skip
    def test_a_form(self, text: str, kind: str, target: str, link: type) -> None:
        spec = parse_link(text)
        assert (spec.text, spec.kind, spec.target) == (text, kind, target)
        assert spec.settings == SerialSettings()
        assert type(make_link(spec)) is link
        assert make_link(spec).name == text

    def test_address_and_port(self) -> None:
        assert parse_link("tcp-listen://10.1.2.3:4000").host_port == ("10.1.2.3", 4000)
        assert parse_link("tcp-listen://[::1]:65535").host_port == ("::1", 65535)

    def test_certificates(self) -> None:
        spec = parse_link("tls-listen://h:1?cert=a.pem&key=b.pem&client_ca=c.pem")
        assert (spec.cert, spec.key, spec.client_ca) == ("a.pem", "b.pem", "c.pem")
        assert parse_link("tls-listen://h:1?cert=both.pem") == LinkSpec(
            "tls-listen://h:1?cert=both.pem", "tls-listen", "h:1", cert="both.pem"
        )


class TestSettings:
    """``?baudrate=115200&bytesize=8&parity=N&stopbits=1&flow=none|rtscts|xonxoff``."""

    @pytest.mark.parametrize("bare", ["/dev/ttyS0", "pty:/tmp/x", "rfc2217://h:1", "socket://h:1", "loop://"])
    def test_all_of_them(self, bare: str) -> None:
        spec = parse_link(f"{bare}?baudrate=9600&bytesize=7&parity=E&stopbits=2&flow=rtscts")
        assert spec.settings == SerialSettings(9600, 7, "E", 2, "rtscts")
        assert spec.target == bare.removeprefix("pty:")

    def test_the_defaults_are_those_of_the_contract(self) -> None:
        text = "/dev/ttyS0?baudrate=115200&bytesize=8&parity=N&stopbits=1&flow=none"
        assert parse_link(text).settings == SerialSettings() == parse_link("/dev/ttyS0").settings

    @pytest.mark.parametrize(
        ("setting", "field", "value"),
        [
            *((f"baudrate={rate}", "baudrate", rate) for rate in (300, 1200, 9600, 115200, 921600)),
            *((f"bytesize={size}", "bytesize", size) for size in (5, 6, 7, 8)),
            *((f"parity={parity}", "parity", parity) for parity in "NEOMS"),
            ("stopbits=1", "stopbits", 1),
            ("stopbits=1.5", "stopbits", 1.5),
            ("stopbits=2", "stopbits", 2),
            *((f"flow={flow}", "flow", flow) for flow in ("none", "rtscts", "xonxoff")),
        ],
    )
    def test_every_value(self, setting: str, field: str, value: object) -> None:
        assert getattr(parse_link(f"/dev/ttyS0?{setting}").settings, field) == value

    def test_settings_of_pyserial_go_to_pyserial(self) -> None:
        """A pySerial URL keeps its own options; ours are taken out."""
        spec = parse_link("spy:///dev/ttyS0?file=/tmp/log.txt&baudrate=9600&raw")
        assert spec.target == "spy:///dev/ttyS0?file=/tmp/log.txt&raw"
        assert spec.settings.baudrate == 9600

    @pytest.mark.parametrize(
        "text",
        [
            "rfc2217://h:1?ign_set_control&poll_modem&timeout=3&logging=debug",
            "socket://h:1?logging=debug",
            "loop://?logging=debug",
            "spy:///dev/ttyS0?file=x&color&raw&all",
            "alt:///dev/ttyS0?class=PosixPollSerial",
            "hwgrep://USB-?Serial&skip_busy",
        ],
    )
    def test_every_option_of_pyserial(self, text: str) -> None:
        assert parse_link(f"{text}&baudrate=9600").target == text

    @pytest.mark.parametrize("bare", ["tcp-listen://h:1", "tls-listen://h:1?cert=a.pem"])
    def test_of_a_listening_link(self, bare: str) -> None:
        """There is no port to set; AT+IPR? answers it."""
        assert parse_link(f"{bare}{'&' if '?' in bare else '?'}baudrate=9600").settings.baudrate == 9600


class TestSame:
    """Whether two texts mean one line."""

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("pty:{0}/x", "pty:{0}/x?baudrate=9600"),
            ("pty:{0}/x", "pty:{0}/../{1}/./x"),
            ("pty:{0}/x", "pty:{0}/folder/x"),
            ("pty:{0}/x", "{0}/x"),
            ("{0}/device", "{0}/link"),
            ("{0}/link", "{0}/folder/device"),
            ("socket://h:1", "socket://h:1"),
            ("tcp-listen://h:1", "tls-listen://h:1?cert=a.pem"),
        ],
    )
    def test_it_is(self, tmp_path: Path, one: str, other: str) -> None:
        self.arrange(tmp_path)
        first, second = (parse_link(text.format(tmp_path, tmp_path.name)) for text in (one, other))
        assert first.is_same(second) and second.is_same(first)

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("pty:{0}/x", "pty:{0}/y"),
            ("pty:{0}/link", "{0}/device"),
            ("{0}/loop", "{0}/device"),
            ("socket://h:1", "socket://h:2"),
            ("tcp-listen://127.0.0.1:0", "tcp-listen://127.0.0.1:0"),
        ],
    )
    def test_it_is_not(self, tmp_path: Path, one: str, other: str) -> None:
        self.arrange(tmp_path)
        first, second = (parse_link(text.format(tmp_path)) for text in (one, other))
        assert not first.is_same(second) and not second.is_same(first)

    def arrange(self, folder: Path) -> None:
        """``folder`` leads back to itself, ``link`` to ``device``, and ``loop`` nowhere."""
        (folder / "device").touch()
        (folder / "link").symlink_to("device")
        (folder / "folder").symlink_to(".")
        (folder / "loop").symlink_to("loop")


class TestMistakes:
    """Each is told in a sentence with what was expected, and the nearest right name."""

    @pytest.mark.parametrize("text", ["", "?", "?baudrate=9600"])
    def test_nothing(self, text: str) -> None:
        assert "pty:PATH" in wrong(text)

    def test_a_pty_without_a_path(self) -> None:
        assert "path" in wrong("pty:") and "pty:/" in wrong("pty:")

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("sockt://h:1", "socket://"),
            ("SOCKET://h:1", "socket://"),
            ("tcp-lisen://h:1", "tcp-listen://"),
            ("tls_listen://h:1", "tls-listen://"),
            ("rfc2271://h:1", "rfc2217://"),
        ],
    )
    def test_an_unknown_kind(self, text: str, meant: str) -> None:
        message = wrong(text)
        assert text.partition(":")[0] in message and f"did you mean {meant}" in message

    def test_a_kind_like_no_other_is_told_all_kinds(self) -> None:
        message = wrong("qqqqqq://x")
        for kind in ("device path", "pty:", "socket", "rfc2217", "loop", "spy", "tcp-listen", "tls-listen"):
            assert kind in message

    @pytest.mark.parametrize("scheme", ["socket", "rfc2217", "tcp-listen", "tls-listen"])
    @pytest.mark.parametrize("place", ["", "host", "host:", ":80", "host:http", "host:65536", "host:-1", "1.2.3.4:80:"])
    def test_no_address_and_port(self, scheme: str, place: str) -> None:
        message = wrong(f"{scheme}://{place}" + ("?cert=a.pem" if scheme == "tls-listen" else ""))
        assert "HOST:PORT" in message and repr(place) in message

    @pytest.mark.parametrize(
        ("setting", "expected"),
        [
            ("baudrate=", "positive number"),
            ("baudrate", "positive number"),
            ("baudrate=fast", "positive number"),
            ("baudrate=0", "positive number"),
            ("baudrate=-9600", "positive number"),
            ("baudrate=9600.5", "positive number"),
            ("bytesize=9", "5, 6, 7, 8"),
            ("bytesize=", "5, 6, 7, 8"),
            ("parity=even", "N, E, O, M, S"),
            ("stopbits=3", "1, 1.5, 2"),
            ("stopbits=0", "1, 1.5, 2"),
            ("flow=hardware", "none, rtscts, xonxoff"),
        ],
    )
    @pytest.mark.parametrize("bare", ["/dev/ttyS0", "pty:/tmp/x", "rfc2217://h:1"])
    def test_a_bad_value(self, bare: str, setting: str, expected: str) -> None:
        message = wrong(f"{bare}?{setting}")
        name, _, value = setting.partition("=")
        assert name in message and expected in message and repr(value) in message

    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("/dev/ttyS0?baudrat=9600", "baudrate"),
            ("/dev/ttyS0?baudrate=9600&Parity=N", "parity"),
            ("pty:/tmp/x?stopbit=1", "stopbits"),
            ("/dev/ttyS0?flows=none", "flow"),
            ("tcp-listen://h:1?baudrte=1", "baudrate"),
            ("tls-listen://h:1?certt=a.pem", "cert"),
            ("tls-listen://h:1?cert=a.pem&clientca=b", "client_ca"),
        ],
    )
    def test_an_unknown_setting(self, text: str, meant: str) -> None:
        assert f"did you mean {meant!r}" in wrong(text)

    def test_a_setting_like_no_other(self) -> None:
        assert "'zzz'" in wrong("/dev/ttyS0?zzz=1")

    @pytest.mark.parametrize("text", ["tls-listen://h:1", "tls-listen://h:1?key=b.pem", "tls-listen://h:1?cert="])
    def test_tls_without_a_certificate(self, text: str) -> None:
        assert "cert=FILE" in wrong(text)

    @pytest.mark.parametrize("text", ["/dev/ttyS0?baudrate=²", "socket://h:²", "tcp-listen://h:²"])
    def test_digits_that_are_no_number(self, text: str) -> None:
        assert "²" in wrong(text)

    @pytest.mark.parametrize("digits", ["4294967296", "9" * 5000])
    def test_a_number_that_no_driver_can_take(self, digits: str) -> None:
        assert "baudrate" in wrong(f"/dev/ttyS0?baudrate={digits}")
        assert "HOST:PORT" in wrong(f"socket://h:{digits}")

    @pytest.mark.parametrize(
        "text", ["socket://h:80/path", "socket://h:80#x", "socket://h:80 ", "rfc2217://h:80/path", "tcp-listen://[]:80"]
    )
    def test_more_than_an_address_and_port(self, text: str) -> None:
        assert "HOST:PORT" in wrong(text)

    def test_a_zero_byte(self) -> None:
        assert "zero byte" in wrong("pty:/tmp/a\0b")

    @pytest.mark.parametrize("text", ["socket://h:1?baudrat=9600", "loop://?baudrat=9600", "rfc2217://h:1?flows=none"])
    def test_an_unknown_setting_of_an_url(self, text: str) -> None:
        assert "did you mean" in wrong(text)

    @pytest.mark.parametrize("text", ["loop://?colour=yes", "socket://h:1?zzz=1", "spy:///dev/ttyS0?log=x"])
    def test_an_option_that_a_handler_has_not(self, text: str) -> None:
        """Told where it is read, so that a configuration can be checked without opening anything."""
        wrong(text)

    @pytest.mark.parametrize("setting", ["baudrate=fast", "parity=even", "flow=hardware"])
    def test_a_bad_value_for_a_listening_link(self, setting: str) -> None:
        assert setting.partition("=")[0] in wrong(f"tcp-listen://h:1?{setting}")

    @pytest.mark.parametrize("setting", ["cert=a.pem", "client_ca=a.pem"])
    def test_a_certificate_without_tls(self, setting: str) -> None:
        """Who gives a certificate wants TLS: a plain link would expose the line."""
        assert "tls-listen" in wrong(f"tcp-listen://h:1?{setting}")
