"""What every kind of board offers: three things, and a board that joins them."""

from collections.abc import Callable
from typing import Protocol

from hybrid_hil.board.processor import Processor
from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.shell import Shell

__all__ = ["Board", "Consoles", "PowerSwitch", "Provision", "ShellAccess"]

Provision = Callable[["ShellAccess", Deadline], None]


class PowerSwitch(Protocol):
    """Power, and all that comes with it.

    `provision` is run at the end of each power on but those that restore a board it was run on; `inspection` is run at
    the end of every one, restores included, and its RigError says that the board is not fit. `on_stage` is told the
    name of each stage as it begins. `boots` and `restores` count how the board came up.
    """

    provision: Provision | None
    inspection: Provision | None
    on_stage: Callable[[str], None] | None
    boots: int
    restores: int

    @property
    def boot_s(self) -> float:
        """How long it takes at most to power it on and provision it."""

    @property
    def has_switch(self) -> bool:
        """Whether its power can be taken away."""

    def power_on(self, deadline: Deadline) -> None:
        """Boots until a command is answered over SSH; a RigError names the stage that failed."""

    def power_off(self) -> None:
        """Takes the power away at once, as pulling the plug would. Raises RigError where nothing can."""

    def power_cycle(self, deadline: Deadline) -> None:
        """Makes the board as new: nothing of the past is left that a boot does away with."""


class Consoles(Protocol):
    """The lines of Linux and of the auxiliary cores: the same objects over power cycles. A board without one of these
    lines has a console that is not `wired`."""

    @property
    def console(self) -> Console: ...

    @property
    def core_console(self) -> Console: ...


class ShellAccess(Protocol):
    """Commands on the board, and what they may touch there. `shell` is the same object over power cycles."""

    @property
    def shell(self) -> Shell: ...

    @property
    def cores(self) -> tuple[Processor, ...]:
        """The only auxiliary cores the rig may touch."""

    @property
    def exclusive(self) -> bool:
        """Whether nothing but the rig runs there, so that whatever is new on the board is a test's."""


class Board(PowerSwitch, Consoles, ShellAccess, Protocol):
    """A machine with Linux and auxiliary cores that can be powered, watched and commanded."""

    @property
    def name(self) -> str: ...

    @property
    def health(self) -> BoardHealth: ...

    @property
    def by_hand(self) -> str:
        """What a person types to get at the same board without the rig."""

    def close(self) -> None:
        """Lets go of the board; nothing of the rig is left running."""
