"""Which processor a container runs on."""

from hybrid_runtime.processor.remoteproc import Remoteproc, processors
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths

# What the firmware was built for, in ENV of its image. Engines hand that on, and no labels. podman also hands on the
# annotations of the image's manifest.
MCU, MCU_ANNOTATION = "REMOTEPROC_MCU", "org.hybrid-runtime.mcu"
BOARD, BOARD_ANNOTATION = "REMOTEPROC_BOARD", "org.hybrid-runtime.board"

# Who decides, in this order. Below the first that is given, the rest only counts where it says so.
_ALLOCATION, _ANNOTATION, _ENVIRONMENT, _OPTION, _MARK = range(5)


class Wish:
    """One place that names a processor, in words for a message."""

    def __init__(self, rank: int, place: str, value: str) -> None:
        self.rank = rank
        self.place = place
        self.value = value

    def fits(self, name: str, device: str) -> bool:
        """An allocation may be by either: names need not be unique."""
        if self.rank == _ALLOCATION:
            return self.value in (name, device)
        return self.value == (device if self.place == "annotation remoteproc.device" else name)

    def __str__(self) -> str:
        return f"`{self.value}` ({self.place})"


class ProcessorSelector:
    """What create was told. An allocation decides, then the annotations, the environment, the option, and last the mark
    of the firmware. `option` is "" for none.

    Whoever allocates has others wait for the processor: nothing may lead elsewhere. A mark says what the firmware was
    built for, whoever chooses.
    """

    def __init__(self, annotations: dict[str, str], environment: list[str], option: str) -> None:
        given = (
            (_ALLOCATION, "annotation remoteproc.allocated", annotations.get("remoteproc.allocated")),
            (_ALLOCATION, "environment REMOTEPROC_ALLOCATED", environment_value(environment, "REMOTEPROC_ALLOCATED")),
            (_ANNOTATION, "annotation remoteproc.name", annotations.get("remoteproc.name")),
            (_ANNOTATION, "annotation remoteproc.device", annotations.get("remoteproc.device")),
            (_ENVIRONMENT, "environment REMOTEPROC_NAME", environment_value(environment, "REMOTEPROC_NAME")),
            (_OPTION, "option --processor", option or None),
            (_MARK, f"annotation {MCU_ANNOTATION}", annotations.get(MCU_ANNOTATION)),
            (_MARK, "environment REMOTEPROC_MCU", environment_value(environment, MCU)),
        )
        self.empty = [place for _, place, value in given if value == ""]
        self.wishes = [Wish(rank, place, value) for rank, place, value in given if value]

    @property
    def deciding(self) -> list[Wish]:
        return [wish for wish in self.wishes if wish.rank == self.wishes[0].rank]

    def check(self) -> None:
        """A script whose variable was empty has not asked for just any processor. Raises Failure."""
        if self.empty:
            raise Failure(f"{self.empty[0]} is empty", "name a processor, or leave it out where there is only one")

    def matches(self, name: str, device: str) -> bool:
        return all(wish.fits(name, device) for wish in self.deciding)

    def require_agreement(self, name: str, device: str) -> None:
        """Of what must not be overruled with the processor that was chosen. Raises Failure."""
        for wish in self.wishes:
            if (self.is_allocated or wish.rank == _MARK) and not wish.fits(name, device):
                remedy = (
                    "what was built for another processor is not run on this one"
                    if wish.rank == _MARK
                    else f"leave the {wish.place} away: the processor was allocated"
                )
                raise Failure(f"the processor is {self}, and {wish} names another one", remedy)

    @property
    def is_given(self) -> bool:
        return bool(self.wishes)

    @property
    def is_allocated(self) -> bool:
        return bool(self.wishes) and self.wishes[0].rank == _ALLOCATION

    def __str__(self) -> str:
        return " that is ".join(map(str, self.deciding)) or "unnamed"


def environment_value(environment: list[str], key: str) -> str | None:
    """None when it is not there, or has no value."""
    # The last one counts, as in execve(2) environments read by getenv.
    for entry in reversed(environment):
        name, equals, value = entry.partition("=")
        if name == key:
            return value if equals else None
    return None


def require_board(system: SystemPaths, annotations: dict[str, str], environment: list[str]) -> None:
    """Raises Failure for firmware that says it is for another board."""
    marks = {
        f"annotation {BOARD_ANNOTATION}": annotations.get(BOARD_ANNOTATION),
        f"environment {BOARD}": environment_value(environment, BOARD),
    }
    for place, board in marks.items():
        if board:
            from hybrid_runtime.processor.board import this_board

            here = this_board(system)
            if not here.is_called(board):
                raise Failure(f"by its {place} the firmware is for the board `{board}`", str(here))


def choose(system: SystemPaths, selector: ProcessorSelector) -> Remoteproc:
    """Raises Failure listing what exists when none or several match."""
    selector.check()
    present = [(remoteproc.read_or("name", ""), remoteproc) for remoteproc in processors(system)]
    if not present:
        raise Failure(
            "this machine has no remote processor",
            "check that the kernel's remoteproc driver is built in or loaded and bound to the device",
        )
    matching = [(name, remoteproc) for name, remoteproc in present if selector.matches(name, remoteproc.device)]
    if len(matching) == 1:
        ((name, chosen),) = matching
        selector.require_agreement(name, chosen.device)
        return chosen
    listing = ", ".join(f"`{name}` ({remoteproc.device})" for name, remoteproc in present)
    if not selector.is_given:
        raise Failure(
            f"this board has {len(present)} processors and none is named",
            f"name one by annotation remoteproc.name or remoteproc.device, present are {listing}",
        )
    if matching:
        devices = " or ".join(remoteproc.device for _, remoteproc in matching)
        raise Failure(
            f"this board has {len(present)} processors and {selector} fits {len(matching)} of them",
            f"choose by annotation remoteproc.device: {devices}; the numbers depend on the order of probing",
        )
    raise Failure(f"no processor {selector}", f"present are {listing}")


# Why a processor in that state cannot take a container, and what to do.
_REFUSALS = {
    "running": ("runs `{firmware}`, started outside this runtime", "stop it: echo stop > {path}/state"),
    "crashed": (
        "has crashed running `{firmware}`, started outside this runtime",
        "stop it: echo stop > {path}/state; a kernel that refuses wants echo recover > {path}/recovery before",
    ),
    "attached": (
        "was started before Linux and is attached to it",
        "stop it if nothing needs it: echo stop > {path}/state",
    ),
    "detached": (
        "was started before Linux and runs on its own",
        "its firmware belongs to the boot loader: change it there",
    ),
    "suspended": ("is suspended", "wake the system up"),
}


def require_free(remoteproc: Remoteproc) -> None:
    """Raises Failure unless the processor can be loaded and started by us."""
    obstacle = obstacle_of(remoteproc)
    if obstacle is not None:
        raise obstacle


def obstacle_of(remoteproc: Remoteproc) -> Failure | None:
    """Why the processor cannot be loaded and started by us, as far as it tells itself."""
    if remoteproc.is_read_only():
        return Failure(
            f"processor `{remoteproc.name}` ({remoteproc.device}) is read-only",
            "its driver keeps user space from controlling it: choose another processor",
        )
    if remoteproc.is_mounted_read_only():
        return Failure(
            f"processor `{remoteproc.name}` ({remoteproc.device}) cannot be controlled: sysfs is mounted read-only",
            "mount -o remount,rw /sys",
        )
    state = remoteproc.state
    if state == "offline":
        return None
    reason, remedy = _REFUSALS.get(state, (f"is `{state}`", "see dmesg"))
    facts = {"firmware": remoteproc.read_or("firmware", "unknown"), "path": remoteproc.path}
    return Failure(
        f"processor `{remoteproc.name}` ({remoteproc.device}) " + reason.format(**facts),
        remedy.format(**facts),
    )
