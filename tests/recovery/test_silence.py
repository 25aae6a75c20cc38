"""Nobody answers: whichever of module and gateway gives up first, the host hears its own number for it."""

from __future__ import annotations

import pytest

from recovery.silence import SOON_S, Opening, openings, play


@pytest.mark.parametrize("opening", openings(), ids=str)
def test_nobody_answers(opening: Opening) -> None:
    play(opening)


@pytest.mark.parametrize("opening", [one for one in openings() if one.service == "TCP client"], ids=str)
def test_the_module_gives_up_first(opening: Opening) -> None:
    assert SOON_S <= play(opening, SOON_S) < SOON_S + 10
