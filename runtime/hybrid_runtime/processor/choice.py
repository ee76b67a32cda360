"""Which processor a container runs on."""

from hybrid_runtime.processor.remoteproc import Remoteproc, processors
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths


class ProcessorSelector:
    """What create was told: the annotations decide, else the environment, else the option. `option` is "" for none."""

    def __init__(self, annotations: dict[str, str], environment: list[str], option: str) -> None:
        given = {
            "annotation remoteproc.name": annotations.get("remoteproc.name"),
            "annotation remoteproc.device": annotations.get("remoteproc.device"),
            "environment REMOTEPROC_NAME": _environment_value(environment, "REMOTEPROC_NAME"),
        }
        self.empty = [place for place, value in given.items() if value == ""]
        self.name, self.device, self.environment_name = (value or "" for value in given.values())
        self.option = option

    def check(self) -> None:
        """A script whose variable was empty has not asked for just any processor. Raises Failure."""
        if self.empty:
            raise Failure(f"{self.empty[0]} is empty", "name a processor, or leave it out where there is only one")

    def matches(self, name: str, device: str) -> bool:
        if self.name or self.device:
            return name == (self.name or name) and device == (self.device or device)
        wanted = self.environment_name or self.option
        return not wanted or name == wanted

    @property
    def is_given(self) -> bool:
        return bool(self.name or self.device or self.environment_name or self.option)

    def __str__(self) -> str:
        if self.name and self.device:
            return f"`{self.name}` (annotation remoteproc.name) that is `{self.device}` (annotation remoteproc.device)"
        if self.name:
            return f"`{self.name}` (annotation remoteproc.name)"
        if self.device:
            return f"`{self.device}` (annotation remoteproc.device)"
        if self.environment_name:
            return f"`{self.environment_name}` (environment REMOTEPROC_NAME)"
        return f"`{self.option}` (option --processor)" if self.option else "unnamed"


def _environment_value(environment: list[str], key: str) -> str | None:
    # The last one counts, as in execve(2) environments read by getenv.
    for entry in reversed(environment):
        name, equals, value = entry.partition("=")
        if name == key:
            return value if equals else None
    return None


def choose(system: SystemPaths, selector: ProcessorSelector) -> Remoteproc:
    """Raises Failure listing what exists when none or several match."""
    selector.check()
    present = [(remoteproc.read_or("name", ""), remoteproc) for remoteproc in processors(system)]
    if not present:
        raise Failure(
            "this machine has no remote processor",
            "check that the kernel's remoteproc driver is built in or loaded and bound to the device",
        )
    matching = [remoteproc for name, remoteproc in present if selector.matches(name, remoteproc.device)]
    if len(matching) == 1:
        return matching[0]
    listing = ", ".join(f"`{name}` ({remoteproc.device})" for name, remoteproc in present)
    if not selector.is_given:
        raise Failure(
            f"this board has {len(present)} processors and none is named",
            f"name one by annotation remoteproc.name or remoteproc.device, present are {listing}",
        )
    if matching:
        devices = " or ".join(remoteproc.device for remoteproc in matching)
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
        "stop it: echo stop > {path}/state",
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
    if remoteproc.is_read_only():
        raise Failure(
            f"processor `{remoteproc.name}` ({remoteproc.device}) is read-only",
            "its driver keeps user space from controlling it: choose another processor",
        )
    if remoteproc.is_mounted_read_only():
        raise Failure(
            f"processor `{remoteproc.name}` ({remoteproc.device}) cannot be controlled: sysfs is mounted read-only",
            "mount -o remount,rw /sys",
        )
    state = remoteproc.state
    if state == "offline":
        return
    reason, remedy = _REFUSALS.get(state, (f"is `{state}`", "see dmesg"))
    facts = {"firmware": remoteproc.read_or("firmware", "unknown"), "path": remoteproc.path}
    raise Failure(
        f"processor `{remoteproc.name}` ({remoteproc.device}) " + reason.format(**facts),
        remedy.format(**facts),
    )
