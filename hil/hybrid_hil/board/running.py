"""Boards that are there already: other commands on this machine keep them running, or a board file says where."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hybrid_hil.board.board_file import SUFFIX, read_board_file
from hybrid_hil.board.lease import Lease
from hybrid_hil.board.run_folder import RunInfo, running_boards, runs_root
from hybrid_hil.board_health import BoardHealth
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_name
from hybrid_hil.shell import Address, Shell
from hybrid_hil.terminal import Reporter

CONNECT_S = 15.0
FOR_PEOPLE = "hil boot"


def find_running(name: str | None, reporter: Reporter) -> RunInfo | None:
    """How to reach the running board of that name, or the one that `chosen` takes, which is told. None without one.

    Raises:
        RigError: there are boards, but none of that name, or which one is meant is not clear.
    """
    boards = {folder.name: run_info for folder, run_info in running_boards(runs_root())}
    if name is None:
        name = chosen(boards, checkout_name())
        if name is None:
            return None
        reporter.note(f"on `{name}` {whose(boards[name], checkout_name())}")
    if name not in boards:
        running = f"running: {', '.join(boards)}" if boards else "start one in another terminal: hil boot"
        raise RigError(f"no board `{name}` is running", f"{running}; the name of a board file ends with {SUFFIX}")
    return boards[name]


def chosen(boards: Mapping[str, RunInfo], checkout: str) -> str | None:
    """Which of `boards`, the newest first, is meant by somebody in `checkout` who names none: the newest of this
    checkout, or the only one there is. Boards that tests or a demo are busy with have to be named.

    Raises:
        RigError: there are several, all of other checkouts.
    """
    kept = {name: run_info for name, run_info in boards.items() if run_info.owner == FOR_PEOPLE}
    ours = [name for name, run_info in kept.items() if checkout and run_info.checkout == checkout]
    if not ours and len(kept) > 1:
        listed = ", ".join(f"`{name}` {whose(run_info, checkout)}" for name, run_info in kept.items())
        remedy = f"name one: --board {next(iter(kept))}, or start one here in another terminal: hil boot"
        raise RigError(f"no board of this checkout is running, but {listed}", remedy)
    return next(iter([*ours, *kept]), None)


def whose(run_info: RunInfo, checkout: str) -> str:
    """Of which checkout the board is, as `checkout` sees it."""
    if not run_info.checkout:
        return "of an unknown checkout"
    return "of this checkout" if run_info.checkout == checkout else f"of the checkout `{run_info.checkout}`"


def require_running(name: str | None, reporter: Reporter) -> RunInfo:
    """Like `find_running`, but none at all is an error."""
    run_info = find_running(name, reporter)
    if run_info is None:
        raise RigError("no board is running", "start one in another terminal: hil boot")
    return run_info


def is_board_file(name: str | None) -> bool:
    """Whether `--board` means a file, and no running board's name."""
    return name is not None and name.endswith(SUFFIX)


@contextmanager
def shell_on(run_info: RunInfo) -> Iterator[Shell]:
    """A connection to somebody else's board."""
    with _connected(run_info.address, ()) as shell:
        yield shell


@contextmanager
def shell_of_file(path: Path) -> Iterator[Shell]:
    """A connection to the board of a file as it is: it is neither switched on nor held."""
    description = read_board_file(path)
    with _connected(description.address, description.become) as shell:
        yield shell


@contextmanager
def held_shell_of_file(path: Path) -> Iterator[Shell]:
    """A connection to the board of a file for who changes something there: it is held against other runs.

    Raises:
        BoardInUseError: another run has it.
    """
    description = read_board_file(path)
    lease = Lease(description.name, description.address)
    lease.take_here()
    try:
        with _connected(description.address, description.become) as shell:
            lease.take_there(shell, Deadline(CONNECT_S))
            yield shell
    finally:
        lease.release()


@contextmanager
def _connected(address: Address, become: tuple[str, ...]) -> Iterator[Shell]:
    shell = Shell(BoardHealth(), become)
    try:
        shell.connect(address, Deadline(CONNECT_S))
        yield shell
    finally:
        shell.close()
