"""Who we are, and what the processors of this board let us do. Looks with stat(2) and access(2) alone: closing
/dev/remoteprocN would stop a core whose container is guarded by it."""

import os
import stat
from collections.abc import Iterator

from hybrid_runtime.container.holder import holder
from hybrid_runtime.firmware.installation import boot_of
from hybrid_runtime.processor.remoteproc import Remoteproc, processors
from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, WARNING, Check, Finding
from hybrid_runtime.system.mount_namespace import can_be_made
from hybrid_runtime.system.system_paths import SystemPaths

ATTRIBUTES = ("state", "firmware", "recovery", "coredump")
_GROUP = (
    "install the udev rules and the tmpfiles.d file of this runtime and join their group, or call as root "
    "(docs/runtime.md: Not as root)"
)
USER = Check(OK, "who calls", "The user and the groups of the caller.")
MACHINE_ROOT = Check(
    OK,
    "the supervisors of this user keep the machine's root",
    "Without CAP_SYS_ADMIN no mount namespace can be made. Joining one takes the same capability, "
    "so no engine of this user copies files through it.",
)
NO_PROCESSOR = Check(
    PROBLEM,
    "there is no remote processor",
    "No driver is bound. `dmesg | grep -i rproc` shows what the drivers say.",
    "see that the driver of the processor is built in or loaded and bound, that its firmware interface is there, "
    "and that the devicetree has its node",
)
PROCESSOR = Check(OK, "a processor can be used", "`create` takes it while no other container holds it.")
READ_ONLY = Check(
    WARNING,
    "a processor is read-only",
    "Its driver does not let user space control it.",
    "use another processor",
)
READ_ONLY_MOUNT = Check(
    PROBLEM,
    "sysfs is mounted read-only",
    "Processors cannot be controlled. This is so inside most containers.",
    "mount -o remount,rw /sys, or call outside of the container",
)
ATTRIBUTES_FORBIDDEN = Check(
    PROBLEM,
    "a processor may not be controlled",
    "Its files below /sys/class/remoteproc belong to another user.",
    _GROUP,
)
DEVICE_ABSENT = Check(
    WARNING,
    "a processor has no character device",
    "After SIGKILL of a supervisor its core runs until the next command. Inside a container, /dev may lack the device.",
    "build the kernel with CONFIG_REMOTEPROC_CDEV, and mount devtmpfs or pass the device in",
)
DEVICE_FORBIDDEN = Check(
    PROBLEM, "a processor's character device may not be opened", "Starts on it are refused.", _GROUP
)
NAME_TWICE = Check(
    WARNING,
    "processors have the same name",
    "`remoteproc.name` fits several processors, and `create` refuses it.",
    "choose by the annotation remoteproc.device, whose numbers depend on the order of probing, "
    "or for good: give them different names in the devicetree",
)
CRASHED = Check(
    WARNING,
    "a processor has crashed outside any container",
    "The firmware does not belong to a container. The processor is refused until it is stopped.",
    "echo stop > {path}/state; a kernel that refuses wants echo recover > {path}/recovery before",
)
ABANDONED_CORE = Check(
    PROBLEM,
    "a core runs without its container",
    "The firmware belongs to a container, and no journal names it. Somebody removed the claims.",
    "hybrid-runtime doctor --repair, or echo stop > {path}/state",
)


def check(system: SystemPaths) -> Iterator[Finding]:
    yield USER.found(_user())
    if not can_be_made():
        yield MACHINE_ROOT.found("without CAP_SYS_ADMIN there is no mount namespace, neither to make nor to join")
    found = processors(system)
    if not found:
        yield NO_PROCESSOR.found(f"`{system.remoteproc_class}` is empty or absent")
    names = [remoteproc.read_or("name", "") for remoteproc in found]
    for remoteproc in found:
        yield from _check_processor(system, remoteproc)
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield NAME_TWICE.found(f"`{name}` is the name of {names.count(name)}")


def _user() -> str:
    number = os.geteuid()
    groups = ", ".join(str(group) for group in sorted({os.getegid(), *os.getgroups()}))
    return f"user {number}, groups {groups}"


def _check_processor(system: SystemPaths, remoteproc: Remoteproc) -> Iterator[Finding]:
    state = remoteproc.read_or("state", "vanished")
    name = f"`{remoteproc.read_or('name', '')}` ({remoteproc.device})"
    container = holder(system, remoteproc.device)
    findings = [
        *_check_attributes(remoteproc, name),
        *_check_device(system.device_node(remoteproc.device), name),
        *([] if container else _check_without_container(remoteproc, name, state)),
    ]
    if all(finding.level != PROBLEM for finding in findings):
        held = f", held by container `{container}`" if container else ""
        yield PROCESSOR.found(f"{name} is {state}{held}, recovery {remoteproc.read_or('recovery', 'unknown')}")
    yield from findings


def _check_attributes(remoteproc: Remoteproc, name: str) -> Iterator[Finding]:
    try:
        if remoteproc.is_read_only():
            yield READ_ONLY.found(name)
            return
        if remoteproc.is_mounted_read_only():
            yield READ_ONLY_MOUNT.found(name)
            return
    except OSError:
        yield ATTRIBUTES_FORBIDDEN.found(f"{name} has no state")
        return
    paths = [f"{remoteproc.path}/{attribute}" for attribute in ATTRIBUTES]
    forbidden = [path for path in paths if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK)]
    if forbidden:
        yield ATTRIBUTES_FORBIDDEN.found(f"{name}: " + ", ".join(f"`{path}`" for path in forbidden))


def _check_device(path: str, name: str) -> Iterator[Finding]:
    try:
        is_device = stat.S_ISCHR(os.stat(path).st_mode)
    except OSError:
        is_device = False
    if not is_device:
        yield DEVICE_ABSENT.found(f"{name}: a supervisor that is killed leaves its core to the next command")
    elif not os.access(path, os.R_OK | os.W_OK):
        yield DEVICE_FORBIDDEN.found(f"{name}: `{path}`")


def _check_without_container(remoteproc: Remoteproc, name: str, state: str) -> Iterator[Finding]:
    firmware = remoteproc.read_or("firmware", "")
    if state not in ("offline", "vanished") and boot_of(firmware) is not None:
        yield ABANDONED_CORE.found(f"{name} is {state} with `{firmware}`", path=remoteproc.path)
    elif state == "crashed":
        yield CRASHED.found(f"{name} with `{firmware}`", path=remoteproc.path)
