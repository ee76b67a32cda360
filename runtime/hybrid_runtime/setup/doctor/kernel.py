"""The kernel: what it was built with, and whether it lets itself be listened to."""

import os
from collections.abc import Iterator

from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, WARNING, Check, Finding
from hybrid_runtime.system.failure import errno_meaning
from hybrid_runtime.system.system_paths import SystemPaths

_REBUILD = "build the kernel with {option}"
OPTIONS_RIGHT = Check(OK, "the kernel has what this runtime uses")
OPTIONS_UNKNOWN = Check(
    WARNING,
    "the kernel's options cannot be read",
    "build the kernel with CONFIG_IKCONFIG_PROC, or keep its config in /boot, to have them checked",
)
WITHOUT_REMOTEPROC = Check(PROBLEM, "the kernel has no remoteproc", _REBUILD)
WITHOUT_DEVICES = Check(WARNING, "the kernel has no character devices for processors", _REBUILD)
WITHOUT_DEBUGFS = Check(WARNING, "the kernel has no debugfs", _REBUILD)
WITHOUT_DUMPS = Check(WARNING, "the kernel writes no core dumps", _REBUILD)
WITHOUT_NAMESPACES = Check(WARNING, "the kernel has no network namespaces", _REBUILD)
WITHOUT_CHANNELS = Check(WARNING, "the kernel has no RPMsg channels for programs", _REBUILD)
WAITS_FOR_HELPER = Check(
    WARNING, "the kernel waits a minute for firmware that is missing", "build the kernel without {option}"
)
DEBUGFS_READABLE = Check(OK, "debugfs can be read")
DEBUGFS_ABSENT = Check(
    WARNING,
    "debugfs is not mounted",
    "mount -t debugfs none /sys/kernel/debug, "
    "and for good in /etc/fstab: debugfs /sys/kernel/debug debugfs defaults 0 0",
)
DEBUGFS_FORBIDDEN = Check(
    WARNING,
    "debugfs may not be read",
    "call as root, or give the service the capability CAP_DAC_READ_SEARCH: the trace files are root's",
)
DEBUGFS_LOCKED = Check(
    WARNING, "the kernel's lockdown hides debugfs", "boot with lockdown=integrity or none to have the trace"
)
LOG_READABLE = Check(OK, "the kernel's log can be read")
_ALLOW_LOG = "call as root, or sysctl kernel.dmesg_restrict=0, or give the service the capability CAP_SYSLOG"
LOG_FORBIDDEN = Check(WARNING, "the kernel's log cannot be read", "{how}")
CGROUPS_NEW = Check(OK, "control groups of version 2 are mounted")
CGROUPS_OLD = Check(
    WARNING, "there are no control groups of version 2", "mount -t cgroup2 none /sys/fs/cgroup, or ignore their absence"
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


def check(machine: SystemPaths) -> Iterator[Finding]:
    yield from _check_options(machine)
    yield _check_debugfs(machine)
    yield _check_log(machine)
    yield _check_cgroups(machine)


def _check_options(machine: SystemPaths) -> Iterator[Finding]:
    options = _options(machine)
    if options is None:
        yield OPTIONS_UNKNOWN.found("neither /proc/config.gz nor a file in /boot")
        return
    right = True
    for option, wanted, kind, consequence in _WANTED:
        if (option in options) != wanted:
            right = False
            yield kind.found(consequence, option=option)
    if right:
        yield OPTIONS_RIGHT.found(f"Linux {os.uname().release}")


def _options(machine: SystemPaths) -> set[str] | None:
    """Those that are built in or modules."""
    text = _configuration(machine)
    if text is None:
        return None
    pairs = [line.partition("=") for line in text.split("\n")]
    return {name for name, _, value in pairs if value in ("y", "m")}


def _configuration(machine: SystemPaths) -> str | None:
    try:
        return _running_configuration(machine)
    except (OSError, EOFError, ValueError, ImportError):
        # Not built in, damaged, or an interpreter without zlib.
        pass
    try:
        path = machine.path(f"/boot/config-{os.uname().release}")
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()
    except OSError:
        return None


def _running_configuration(machine: SystemPaths) -> str:
    """Raises OSError, EOFError or ValueError for what cannot be unpacked, ImportError without zlib."""
    import gzip
    import zlib

    try:
        with gzip.open(machine.path("/proc/config.gz"), "rt", encoding="utf-8", errors="replace") as source:
            return source.read()
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _check_debugfs(machine: SystemPaths) -> Finding:
    try:
        with open(machine.path("/sys/kernel/security/lockdown"), encoding="ascii", errors="replace") as source:
            if "[confidentiality]" in source.read():
                return DEBUGFS_LOCKED.found("no trace, so no output but RPMsg's")
    except OSError:
        # No lockdown in this kernel.
        pass
    try:
        os.listdir(machine.trace_folder(""))
    except FileNotFoundError:
        return DEBUGFS_ABSENT.found("no trace, so no output but RPMsg's")
    except OSError:
        return DEBUGFS_FORBIDDEN.found("no trace, so no output but RPMsg's")
    return DEBUGFS_READABLE.found()


def _check_log(machine: SystemPaths) -> Finding:
    try:
        os.close(os.open(machine.kernel_log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        absent = isinstance(error, FileNotFoundError)
        how = "mount -t devtmpfs none /dev" if absent else _ALLOW_LOG
        text = f"{errno_meaning(error)}: crashes are noticed later, and errors lack the kernel's reasons"
        return LOG_FORBIDDEN.found(text, how=how)
    return LOG_READABLE.found()


def _check_cgroups(machine: SystemPaths) -> Finding:
    if os.path.exists(machine.path("/sys/fs/cgroup/cgroup.controllers")):
        return CGROUPS_NEW.found()
    return CGROUPS_OLD.found("supervisors stay in the group of whoever called create")
