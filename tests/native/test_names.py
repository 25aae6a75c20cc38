"""``--map``: names and ports of a host's world on this computer's network."""

from __future__ import annotations

import pytest

from gateway.errors import InputError
from gateway.model.values import Endpoint
from gateway.native import network
from gateway.native.names import NameMap


def out(maps: list[str], name: str, port: int) -> Endpoint | None:
    """Where a connection goes."""
    return NameMap.parse(maps).outward(Endpoint(name, port))


class TestOutward:
    def test_without_rules_nothing_changes(self) -> None:
        assert out([], "example.com", 80) == Endpoint("example.com", 80)
        assert NameMap.parse([]).name("example.com") == "example.com"

    def test_one_port_of_a_name(self) -> None:
        maps = ["example.com:80=127.0.0.1:8080"]
        assert out(maps, "example.com", 80) == Endpoint("127.0.0.1", 8080)
        assert out(maps, "example.com", 81) == Endpoint("example.com", 81)
        assert out(maps, "www.example.com", 80) == Endpoint("www.example.com", 80)

    def test_case_does_not_matter(self) -> None:
        assert out(["Example.COM:80=127.0.0.1:8080"], "eXample.com", 80) == Endpoint("127.0.0.1", 8080)

    def test_the_port_may_stay(self) -> None:
        assert out(["example.com:80=127.0.0.1"], "example.com", 80) == Endpoint("127.0.0.1", 80)

    def test_every_port_of_a_name(self) -> None:
        maps = ["example.com:*=127.0.0.1"]
        assert out(maps, "example.com", 80) == Endpoint("127.0.0.1", 80)
        assert out(maps, "example.com", 25) == Endpoint("127.0.0.1", 25)
        assert out(["example.com:*=127.0.0.1:9"], "example.com", 25) == Endpoint("127.0.0.1", 9)

    def test_a_port_of_every_name(self) -> None:
        maps = ["*:80=127.0.0.1:8080"]
        assert out(maps, "anything.example", 80) == Endpoint("127.0.0.1", 8080)
        assert out(maps, "10.1.2.3", 80) == Endpoint("127.0.0.1", 8080)
        assert out(maps, "anything.example", 81) == Endpoint("anything.example", 81)

    def test_an_address_is_a_name_too(self) -> None:
        assert out(["10.1.2.3:80=127.0.0.1:8080"], "10.1.2.3", 80) == Endpoint("127.0.0.1", 8080)

    def test_numbers_with_zeros_before_them(self) -> None:
        """L610 manual, 1.1.2.4: one, two or three digits; they are decimal all the same."""
        assert out(["192.0.2.10:80=a:1"], "192.000.002.010", 80) == Endpoint("a", 1)

    def test_an_address_of_ipv6_in_any_spelling(self) -> None:
        maps = ["[2001:DB8::53]:53=[::1]:5353"]
        assert out(maps, "2001:db8:0:0:0:0:0:53", 53) == Endpoint("::1", 5353)

    def test_the_nearest_rule_wins_in_any_order(self) -> None:
        maps = ["*:80=c:3", "example.com:*=b:2", "example.com:80=a:1"]
        for order in (maps, maps[::-1]):
            assert out(order, "example.com", 80) == Endpoint("a", 1)
            assert out(order, "example.com", 81) == Endpoint("b", 2)
            assert out(order, "other.example", 80) == Endpoint("c", 3)

    def test_the_last_of_two_equal_ones(self) -> None:
        assert out(["a:80=b:1", "a:80=c:2"], "a", 80) == Endpoint("c", 2)

    def test_zeros_before_a_port(self) -> None:
        assert out(["example.com:0080=127.0.0.1:08080"], "example.com", 80) == Endpoint("127.0.0.1", 8080)

    @pytest.mark.parametrize("rule", ["nowhere.example:*=", "nowhere.example:80=", "*:80="])
    def test_made_unknown(self, rule: str) -> None:
        assert out([rule], "nowhere.example", 80) is None


class TestName:
    """For what has no port: echo requests and looking names up."""

    def test_every_port(self) -> None:
        assert NameMap.parse(["example.com:*=127.0.0.1"]).name("EXAMPLE.com") == "127.0.0.1"

    def test_any_rule_of_the_name(self) -> None:
        assert NameMap.parse(["example.com:80=127.0.0.1:8080"]).name("example.com") == "127.0.0.1"

    def test_made_unknown(self) -> None:
        assert NameMap.parse(["nowhere.example:*="]).name("nowhere.example") is None

    def test_of_other_names(self) -> None:
        assert NameMap.parse(["a:*=b", "*:80=c:1", "listen:80=d:1"]).name("other") == "other"


class TestListening:
    """``listen:PORT=HOST:PORT``."""

    def test_another_place(self) -> None:
        names = NameMap.parse(["listen:80=127.0.0.1:8080"])
        assert names.inward(80, "0.0.0.0") == Endpoint("127.0.0.1", 8080)
        assert names.inward(81, "0.0.0.0") == Endpoint("0.0.0.0", 81)

    def test_another_address_alone(self) -> None:
        assert NameMap.parse(["listen:80=127.0.0.1"]).inward(80, "0.0.0.0") == Endpoint("127.0.0.1", 80)

    def test_it_is_no_rule_for_connections(self) -> None:
        assert out(["listen:80=127.0.0.1:8080"], "example.com", 80) == Endpoint("example.com", 80)


class TestMistakes:
    @pytest.mark.parametrize(
        "rule",
        [
            "",
            "=",
            "example.com",
            "example.com:80",
            "example.com=127.0.0.1",
            "example.com=127.0.0.1:80",
            ":80=127.0.0.1:80",
            "example.com:http=127.0.0.1:80",
            "example.com:80=127.0.0.1:http",
            "example.com:80=127.0.0.1:",
            "example.com:80=127.0.0.1:65536",
            "example.com:80=http://127.0.0.1:80",
            "example.com:80=a=b:80",
            "a b:80=127.0.0.1:80",
            "example.com:-1=127.0.0.1:80",
            "example.com:²=127.0.0.1:80",
        ],
    )
    def test_told_with_an_example(self, rule: str) -> None:
        with pytest.raises(InputError) as caught:
            NameMap.parse(["good.example:80=127.0.0.1:8080", rule])
        message = str(caught.value)
        assert repr(rule) in message and "example.com:80=127.0.0.1:8080" in message and "\n" not in message

    @pytest.mark.parametrize(
        "rule",
        [
            "example.com:65536=127.0.0.1:80",
            "example.com:0=127.0.0.1:80",
            "example.com:80=127.0.0.1:0",
            f"example.com:{'9' * 5000}=127.0.0.1:80",
            "*:*=127.0.0.1",
            "*:*=",
            "listen:*=127.0.0.1:80",
            "listen:80=",
        ],
    )
    def test_a_rule_without_effect(self, rule: str) -> None:
        """Silence would leave the user to find out why nothing is mapped."""
        with pytest.raises(InputError):
            NameMap.parse([rule])


@pytest.mark.parametrize("text", ["127.000.000.001", "127.0.0.1", "127.00.0.01"])
async def test_where_zeros_lead(text: str) -> None:
    assert await network.resolve(text) == "127.0.0.1"


class TestPlace:
    """Where a peer is found."""

    async def test_a_name_of_the_map_alone_has_every_port(self) -> None:
        """Its name is known, whatever port is asked for: nobody may be there, but the name is."""
        names = NameMap.parse(["server.invalid:80=127.0.0.1:8080"])
        assert await network.place(names, Endpoint("Server.invalid", 80)) == Endpoint("127.0.0.1", 8080)
        assert await network.place(names, Endpoint("server.invalid", 9)) == Endpoint("127.0.0.1", 9)

    @pytest.mark.parametrize("rule", ["other.invalid:80=127.0.0.1:8080", "server.invalid:80=", "*:80=127.0.0.1"])
    async def test_other_names_have_none(self, rule: str) -> None:
        with pytest.raises(network.NetworkFailure):
            await network.place(NameMap.parse([rule]), Endpoint("server.invalid", 9))
