"""Boards that other commands on this machine keep running."""

from collections.abc import Iterator
from contextlib import contextmanager

from hybrid_hil.board.run_folder import Card, running_boards, runs_root
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Shell
from hybrid_hil.vitals import Vitals

CONNECT_S = 15.0
FOR_PEOPLE = "hil boot"


def find_running(name: str | None) -> Card | None:
    """The card of the running board of that name, or of the newest that `hil boot` keeps; None without one.

    Boards that tests or a demo are busy with have to be named.

    Raises:
        RigError: there are boards, but none of that name.
    """
    boards = {folder.name: card for folder, card in running_boards(runs_root())}
    if name is None:
        return next((card for card in boards.values() if card.owner == FOR_PEOPLE), None)
    if name not in boards:
        raise RigError(f"no board `{name}` is running", f"running: {', '.join(boards) or 'none'}")
    return boards[name]


def require_running(name: str | None) -> Card:
    """Like `find_running`, but none at all is an error."""
    card = find_running(name)
    if card is None:
        raise RigError("no board is running", "start one in another terminal: hil boot")
    return card


@contextmanager
def shell_on(card: Card) -> Iterator[Shell]:
    """A connection to somebody else's board."""
    shell = Shell(Vitals())
    try:
        shell.connect(card.address, Deadline(CONNECT_S))
        yield shell
    finally:
        shell.close()
