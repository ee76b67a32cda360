"""The kernel: what it was built with, and whether it lets itself be listened to."""

import os
from collections.abc import Iterator

from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, WARNING, Check, Finding
from hybrid_runtime.system.failure import errno_meaning
from hybrid_runtime.system.system_paths import SystemPaths

OPTIONS_RIGHT = Check(OK, "the kernel has what this runtime uses", "All options that this runtime needs are set.")
OPTIONS_UNKNOWN = Check(
    WARNING,
    "the kernel's options cannot be read",
    "Neither /proc/config.gz nor /boot/config-RELEASE is there. The kernel may have all options nevertheless.",
    "build the kernel with CONFIG_IKCONFIG_PROC, or keep its config in /boot, to have them checked",
)
WITHOUT_REMOTEPROC = Check(
    PROBLEM,
    "the kernel has no remoteproc",
    "There is nothing to run firmware with.",
    "build the kernel with CONFIG_REMOTEPROC and the driver of the processor",
)
WITHOUT_DEVICES = Check(
    WARNING,
    "the kernel has no character devices for processors",
    "After SIGKILL of a supervisor its core runs until the next command.",
    "build the kernel with CONFIG_REMOTEPROC_CDEV",
)
WITHOUT_DEBUGFS = Check(
    WARNING,
    "the kernel has no debugfs",
    "There are no trace buffers, so there is no output but RPMsg's.",
    "build the kernel with CONFIG_DEBUG_FS",
)
WITHOUT_DUMPS = Check(
    WARNING,
    "the kernel writes no core dumps",
    "The annotation `remoteproc.coredump` finds nothing to keep.",
    "build the kernel with CONFIG_DEV_COREDUMP",
)
WITHOUT_NAMESPACES = Check(
    WARNING,
    "the kernel has no network namespaces",
    "Bundles that ask for a network namespace are refused. Most engines' bundles ask for one.",
    "build the kernel with CONFIG_NET_NS",
)
WITHOUT_CHANNELS = Check(
    WARNING,
    "the kernel has no RPMsg channels for programs",
    "The annotation `remoteproc.logs` can name no channel.",
    "build the kernel with CONFIG_RPMSG_CHAR and CONFIG_RPMSG_CTRL",
)
WAITS_FOR_HELPER = Check(
    WARNING,
    "the kernel waits a minute for firmware that is missing",
    "It asks a helper in user space, which no system runs any more.",
    "build the kernel without CONFIG_FW_LOADER_USER_HELPER_FALLBACK",
)
DEBUGFS_READABLE = Check(OK, "debugfs can be read", "The logs have the firmware's trace.")
DEBUGFS_ABSENT = Check(
    WARNING,
    "debugfs is not mounted",
    "There are no trace buffers, so the logs are empty.",
    "mount -t debugfs none /sys/kernel/debug, "
    "and for good in /etc/fstab: debugfs /sys/kernel/debug debugfs defaults 0 0",
)
DEBUGFS_FORBIDDEN = Check(
    WARNING,
    "debugfs may not be read",
    "The trace files are readable by root alone (mode 0400).",
    "call as root, or give the service the capability CAP_DAC_READ_SEARCH (systemd: AmbientCapabilities=)",
)
DEBUGFS_LOCKED = Check(
    WARNING,
    "the kernel's lockdown hides debugfs",
    "The kernel runs with `lockdown=confidentiality`.",
    "boot with lockdown=integrity or none to have the trace, or use RPMsg for output",
)
LOG_READABLE = Check(OK, "the kernel's log can be read", "Crashes are noticed at once.")
_LOG_MEANING = "Crashes are noticed within 250 ms instead of at once. Errors of `start` lack the kernel's reasons."
LOG_ABSENT = Check(WARNING, "the kernel's log is absent", _LOG_MEANING, "mount -t devtmpfs none /dev")
LOG_FORBIDDEN = Check(
    WARNING,
    "the kernel's log cannot be read",
    _LOG_MEANING,
    "call as root, or sysctl kernel.dmesg_restrict=0, or give the service the capability CAP_SYSLOG",
)
CGROUPS_NEW = Check(
    OK, "control groups of version 2 are mounted", "Each supervisor runs in the group that its engine wants."
)
CGROUPS_OLD = Check(
    WARNING,
    "there are no control groups of version 2",
    "Supervisors stay in their caller's group, and engines show no statistics.",
    "mount -t cgroup2 none /sys/fs/cgroup, or ignore their absence",
)

# The kind that holds where the option is not as wanted.
_WANTED = (
    ("CONFIG_REMOTEPROC", True, WITHOUT_REMOTEPROC, ""),
    ("CONFIG_REMOTEPROC_CDEV", True, WITHOUT_DEVICES, "a killed supervisor leaves its core to the next command"),
    ("CONFIG_DEBUG_FS", True, WITHOUT_DEBUGFS, "no trace, so no output but RPMsg's"),
    ("CONFIG_DEV_COREDUMP", True, WITHOUT_DUMPS, "the annotation remoteproc.coredump finds nothing to keep"),
    ("CONFIG_NET_NS", True, WITHOUT_NAMESPACES, "containers of engines with a network of their own fail"),
    ("CONFIG_RPMSG_CHAR", True, WITHOUT_CHANNELS, "the annotation remoteproc.logs reads traces only"),
    ("CONFIG_FW_LOADER_USER_HELPER_FALLBACK", False, WAITS_FOR_HELPER, "it asks a helper that is not there"),
)


def check(system: SystemPaths) -> Iterator[Finding]:
    yield from _check_options(system)
    yield _check_debugfs(system)
    yield _check_log(system)
    yield _check_cgroups(system)


def _check_options(system: SystemPaths) -> Iterator[Finding]:
    options = _options(system)
    if options is None:
        yield OPTIONS_UNKNOWN.found("neither /proc/config.gz nor a file in /boot")
        return
    right = True
    for option, wanted, kind, consequence in _WANTED:
        if (option in options) != wanted:
            right = False
            yield kind.found(consequence)
    if right:
        yield OPTIONS_RIGHT.found(f"Linux {os.uname().release}")


def _options(system: SystemPaths) -> set[str] | None:
    """Those that are built in or modules."""
    text = _configuration(system)
    if text is None:
        return None
    pairs = [line.partition("=") for line in text.split("\n")]
    return {name for name, _, value in pairs if value in ("y", "m")}


def _configuration(system: SystemPaths) -> str | None:
    try:
        return _running_configuration(system)
    except (OSError, EOFError, ValueError, ImportError):
        # Not built in, damaged, or an interpreter without zlib.
        pass
    try:
        path = system.path(f"/boot/config-{os.uname().release}")
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return None


def _running_configuration(system: SystemPaths) -> str:
    """Raises OSError, EOFError or ValueError for what cannot be unpacked, ImportError without zlib."""
    import gzip
    import zlib

    try:
        with gzip.open(system.path("/proc/config.gz"), "rt", encoding="utf-8", errors="replace") as source:
            return source.read()
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _check_debugfs(system: SystemPaths) -> Finding:
    try:
        with open(system.path("/sys/kernel/security/lockdown"), encoding="ascii", errors="replace") as source:
            if "[confidentiality]" in source.read():
                return DEBUGFS_LOCKED.found("no trace, so no output but RPMsg's")
    except OSError:
        # No lockdown in this kernel.
        pass
    try:
        os.listdir(system.trace_folder(""))
    except FileNotFoundError:
        return DEBUGFS_ABSENT.found("no trace, so no output but RPMsg's")
    except OSError:
        return DEBUGFS_FORBIDDEN.found("no trace, so no output but RPMsg's")
    return DEBUGFS_READABLE.found()


def _check_log(system: SystemPaths) -> Finding:
    try:
        os.close(os.open(system.kernel_log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        kind = LOG_ABSENT if isinstance(error, FileNotFoundError) else LOG_FORBIDDEN
        return kind.found(f"{errno_meaning(error)}: crashes are noticed later, and errors lack the kernel's reasons")
    return LOG_READABLE.found()


def _check_cgroups(system: SystemPaths) -> Finding:
    if os.path.exists(system.path("/sys/fs/cgroup/cgroup.controllers")):
        return CGROUPS_NEW.found()
    return CGROUPS_OLD.found("supervisors stay in the group of whoever called create")
