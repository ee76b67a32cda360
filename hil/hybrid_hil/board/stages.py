"""The stages of a boot, each with its own deadline."""

from dataclasses import dataclass

from hybrid_hil.board_health import BoardHealth
from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError


@dataclass(frozen=True)
class Stage:
    """`marker` is the regular expression of the console line that proves the stage done, if one does; `seconds` is
    what a loaded host may take; `remedy` says where to look when it failed."""

    name: str
    marker: str
    seconds: float
    remedy: str


FIRMWARE = Stage(
    "firmware",
    r"Booting Linux on physical CPU",
    45,
    "the platform firmware never handed over to Linux: see qemu/monitor, and the kernel's load address",
)
KERNEL = Stage(
    "kernel",
    r"Run \S+ as init process",
    60,
    "the kernel found no root file system or no driver for it: see root= and the kernel's configuration",
)
INIT = Stage(
    "init",
    r"^hybrid-board: init$",
    45,
    "init or its start script did not run: see init= and /etc/inittab of the image",
)
NETWORK = Stage(
    "network",
    r"^hybrid-board: network \S+",
    # systemd mounts file systems and starts its journal first.
    45,
    "the board got no address: see ip=dhcp and the virtio network card",
)
SSH = Stage(
    "ssh",
    r"^hybrid-board: ssh$",
    60,
    "no SSH server answered: see dropbear in the image, its keys, and the forwarded port",
)
# A board of one's own is not asked for more than it may say: its switch, its serial lines, SSH.
POWER = Stage("power", "", 60, "the board's power commands failed: run them by hand")
CONSOLE = Stage("console", "", 15, "a serial line of the board does not open")
REACH = Stage("ssh", "", 120, "see that it boots, and its network, its SSH server, and [ssh] in the board file")
STAGES = (FIRMWARE, KERNEL, INIT, NETWORK, SSH)


def marker_from(stage: Stage) -> str:
    """The marker of `stage` or of any later one: a line lost in kernel noise is made up for by the next."""
    return "|".join(f"(?:{later.marker})" for later in STAGES[STAGES.index(stage) :])


class StageError(RigError):
    """A boot that failed, and in which stage."""

    def __init__(self, stage: Stage, cause: str, evidence: str, by_hand: str) -> None:
        self.stage = stage.name
        self.cause = cause
        remedy = f"{stage.remedy}\n{evidence}\nby hand: {by_hand}"
        super().__init__(f"boot failed in stage `{stage.name}`: {cause}", remedy)


def follow(stage: Stage, console: Console, deadline: Deadline) -> None:
    """Waits for the marker of `stage` within its own deadline and the boot's.

    Raises:
        ConsoleError: it did not come; `ended` is set when the board died.
    """
    console.expect(marker_from(stage), deadline.after(stage.seconds))


def cause_of(error: RigError, health: BoardHealth) -> str:
    """Why a stage failed, in a few words: what killed the board, whoever met that first, or what did not come in how
    long."""
    return health.cause or error.message
