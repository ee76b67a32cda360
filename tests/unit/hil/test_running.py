"""Which of the boards that run on a machine is meant by who names none."""

import pytest

from hybrid_hil.board.run_folder import Card
from hybrid_hil.failure import RigError
from hybrid_hil.running import chosen, whose

HERE, THERE = "/home/a/checkout", "/home/b/checkout"


def card(checkout: str, owner: str = "hil boot") -> Card:
    return Card(owner, "two-cores", 2200, "/keys/host", "/keys/login", 1, checkout)


@pytest.mark.parametrize(
    ("boards", "taken"),
    [
        ({}, None),
        ({"ours": card(HERE)}, "ours"),
        ({"newest": card(HERE), "older": card(HERE)}, "newest"),
        ({"newer of another": card(THERE), "ours": card(HERE)}, "ours"),
        ({"of another": card(THERE)}, "of another"),
        ({"of an older rig": card("")}, "of an older rig"),
        ({"busy": card(HERE, "pytest")}, None),
        ({"busy": card(HERE, "pytest"), "of another": card(THERE)}, "of another"),
    ],
)
def test_boards_of_this_checkout_come_first(boards: dict[str, Card], taken: str | None) -> None:
    assert chosen(boards, HERE) == taken


def test_several_of_other_checkouts_are_listed_and_none_is_taken() -> None:
    boards = {"board-b": card(THERE), "board-c": card(""), "board-busy": card(HERE, "pytest")}
    with pytest.raises(RigError) as refused:
        chosen(boards, HERE)
    assert refused.value.message == (
        "no board of this checkout is running, but "
        f"`board-b` of the checkout `{THERE}`, `board-c` of an unknown checkout"
    )
    assert "--board board-b" in refused.value.remedy


def test_outside_of_any_checkout_no_board_is_ours() -> None:
    assert chosen({"board-c": card("")}, "") == "board-c"
    with pytest.raises(RigError):
        chosen({"board-b": card(THERE), "board-c": card("")}, "")


def test_whose_a_board_is() -> None:
    assert whose(card(HERE), HERE) == "of this checkout"
    assert whose(card(THERE), HERE) == f"of the checkout `{THERE}`"
    assert whose(card(""), "") == "of an unknown checkout"
