"""What every kind of board offers."""

from typing import Protocol

from hybrid_hil.board.layout import Layout
from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.shell import Shell

__all__ = ["Board", "Layout"]


class Board(Protocol):
    """A machine with Linux and auxiliary cores that can be powered, watched and commanded.

    `console` (Linux), `core_console` (the auxiliary cores') and `shell` stay the same objects over power
    cycles.
    """

    @property
    def name(self) -> str: ...

    @property
    def layout(self) -> Layout: ...

    @property
    def processors(self) -> tuple[str, ...]:
        """The remoteproc names of the cores the rig may touch."""

    @property
    def console(self) -> Console: ...

    @property
    def core_console(self) -> Console: ...

    @property
    def shell(self) -> Shell: ...

    def power_on(self, deadline: Deadline) -> None:
        """Boots until a command is answered over SSH; a RigError names the stage that failed."""

    def power_off(self) -> None:
        """Takes the power away at once, as pulling the plug would."""

    def power_cycle(self, deadline: Deadline) -> None:
        """Power off, then on with the disk as it came: nothing of the past is left."""
