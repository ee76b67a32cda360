"""Which of the boards that run on a machine is meant by who names none."""

import pytest

from hybrid_hil.board.run_folder import RunInfo
from hybrid_hil.board.running import chosen, whose
from hybrid_hil.failure import RigError

HERE, THERE = "/home/a/checkout", "/home/b/checkout"


def run_info(checkout: str, owner: str = "hil boot") -> RunInfo:
    return RunInfo(owner, "two-cores", 2200, "/keys/host", "/keys/login", 1, checkout)


@pytest.mark.parametrize(
    ("boards", "taken"),
    [
        ({}, None),
        ({"ours": run_info(HERE)}, "ours"),
        ({"newest": run_info(HERE), "older": run_info(HERE)}, "newest"),
        ({"newer of another": run_info(THERE), "ours": run_info(HERE)}, "ours"),
        ({"of another": run_info(THERE)}, "of another"),
        ({"of an older rig": run_info("")}, "of an older rig"),
        ({"busy": run_info(HERE, "pytest")}, None),
        ({"busy": run_info(HERE, "pytest"), "of another": run_info(THERE)}, "of another"),
    ],
)
def test_boards_of_this_checkout_come_first(boards: dict[str, RunInfo], taken: str | None) -> None:
    assert chosen(boards, HERE) == taken


def test_several_of_other_checkouts_are_listed_and_none_is_taken() -> None:
    boards = {"board-b": run_info(THERE), "board-c": run_info(""), "board-busy": run_info(HERE, "pytest")}
    with pytest.raises(RigError) as refused:
        chosen(boards, HERE)
    assert refused.value.message == (
        "no board of this checkout is running, but "
        f"`board-b` of the checkout `{THERE}`, `board-c` of an unknown checkout"
    )
    assert "--board board-b" in refused.value.remedy


def test_outside_of_any_checkout_no_board_is_ours() -> None:
    assert chosen({"board-c": run_info("")}, "") == "board-c"
    with pytest.raises(RigError):
        chosen({"board-b": run_info(THERE), "board-c": run_info("")}, "")


def test_whose_a_board_is() -> None:
    assert whose(run_info(HERE), HERE) == "of this checkout"
    assert whose(run_info(THERE), HERE) == f"of the checkout `{THERE}`"
    assert whose(run_info(""), "") == "of an unknown checkout"
