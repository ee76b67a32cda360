"""Which tests a board takes, by what its processors offer. pytest's configuration and its items are doubles."""

from types import SimpleNamespace
from typing import cast

import pytest

from hybrid_hil.suite.assignment import Assignment


def assignment(layout: str) -> Assignment:
    config = SimpleNamespace(getoption=lambda name, *_: {"--layout": layout}.get(name))
    return Assignment(cast(pytest.Config, config))


def item(*marks: pytest.Mark) -> pytest.Item:
    marked = SimpleNamespace(
        iter_markers=lambda name: [mark for mark in marks if mark.name == name],
        get_closest_marker=lambda name: next((mark for mark in marks if mark.name == name), None),
    )
    return cast(pytest.Item, marked)


NEEDS_RPMSG, NEEDS_WATCHDOG = pytest.mark.needs("rpmsg").mark, pytest.mark.needs("watchdog").mark
LACKS_WATCHDOG, TWO = pytest.mark.lacks("watchdog").mark, pytest.mark.processors(2).mark


@pytest.mark.parametrize(
    ("layout", "marks", "lacking"),
    [
        ("two-cores", [NEEDS_RPMSG, LACKS_WATCHDOG, TWO], ""),
        (
            "two-cores",
            [NEEDS_WATCHDOG],
            "a watchdog that reports faults of the firmware, which the board does not have",
        ),
        ("imx8mn", [NEEDS_RPMSG], ""),
        ("imx8mn", [TWO], "2 processors, the board has 1"),
        ("stm32mp1", [NEEDS_RPMSG], "RPMsg, which the board does not have"),
        ("stm32mp1", [NEEDS_WATCHDOG], ""),
        ("stm32mp1", [LACKS_WATCHDOG], "a board without a watchdog that reports faults of the firmware"),
    ],
)
def test_what_a_board_lacks(layout: str, marks: list[pytest.Mark], lacking: str) -> None:
    assert assignment(layout).lacks(item(*marks), lambda: pytest.fail("booted")) == lacking
