"""The control group of a supervisor (config-linux.md, Control groups): joined so that an engine's statistics count
the right process. Version 2 only; a core itself has nothing that could be limited."""

import errno
import posix as os

from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.path import components, exists, is_folder
from hybrid_runtime.system.system_paths import SystemPaths

# cgroup-v2.rst, Controllers: those that engines read statistics of.
_CONTROLLERS = ("cpu", "io", "memory", "pids")
_EMPTY_SECONDS = 1.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def can_be_joined(system: SystemPaths, path: str) -> bool:
    """Not without version 2, and not `slice:prefix:name`, which is systemd's to make (systemd_scope)."""
    return bool(components(path)) and ":" not in path and exists(f"{_root(system)}/cgroup.controllers")


def names_scope(path: str) -> bool:
    """Whether it is `slice:prefix:name`. Asked here, so that other containers load nothing for it."""
    return path.count(":") == 2


def missing_folders(system: SystemPaths, path: str) -> list[str]:
    """Those of the path that are not there yet, outermost first, relative to the root of all groups."""
    names = components(path)
    wanted = ["/".join(names[: count + 1]) for count in range(len(names))]
    return [folder for folder in wanted if not is_folder(f"{_root(system)}/{folder}")]


def make(system: SystemPaths, folders: list[str]) -> None:
    """Raises OSError. The folders must be journaled."""
    for folder in folders:
        outer, _, name = folder.rpartition("/")
        parent = _open(system, outer)
        try:
            _make(parent, name)
        finally:
            os.close(parent)


def join(system: SystemPaths, path: str, pid: int) -> None:
    """Raises OSError."""
    group = _open(system, path)
    try:
        _write(group, "cgroup.procs", str(pid))
    finally:
        os.close(group)


def _make(parent: int, name: str) -> None:
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        return
    for controller in _CONTROLLERS:
        try:
            _write(parent, "cgroup.subtree_control", f"+{controller}")
        except OSError:
            # Not built in, or processes beside the folder forbid it: then that statistic stays away.
            continue


def leave_and_remove(system: SystemPaths, folders: list[str], former: str) -> None:
    """Innermost first; this process goes back to its `former` group if it is inside. Raises Failure."""
    inside = [f"/{folder}" for folder in folders]
    if own_group(system) in inside:
        _leave(system, former)
        if own_group(system) in inside:
            raise Failure(f"cannot leave the control group `{folders[-1]}`", "delete removes it")
    for folder in reversed(folders):
        _remove(system, folder)


def own_group(system: SystemPaths) -> str:
    """This process's group, from the root of all groups; "" without version 2 (cgroups(7), /proc/PID/cgroup)."""
    try:
        with open(system.path("/proc/self/cgroup"), encoding="utf-8", errors="surrogateescape") as source:
            for line in source:
                if line.startswith("0::"):
                    return line[3:].rstrip("\n")
    except OSError:
        return ""
    return ""


def _leave(system: SystemPaths, former: str) -> None:
    for group in (former.strip("/"), ""):
        try:
            descriptor = _open(system, group)
        except OSError:
            continue
        try:
            _write(descriptor, "cgroup.procs", str(os.getpid()))
        except OSError:
            continue
        else:
            return
        finally:
            os.close(descriptor)


def _remove(system: SystemPaths, folder: str) -> None:
    outer, _, name = folder.rpartition("/")
    deadline = Deadline(_EMPTY_SECONDS)
    while True:
        try:
            descriptor = _open(system, outer)
        except FileNotFoundError:
            return
        try:
            os.rmdir(name, dir_fd=descriptor)
        except FileNotFoundError:
            return
        except OSError as error:
            # Others have put processes or groups of their own there: theirs to remove. A process on its way out
            # is counted for a moment longer.
            if error.errno not in (errno.EBUSY, errno.ENOTEMPTY):
                path = f"{_root(system)}/{folder}"
                raise failed(f"cannot remove `{path}`", error, "remove it by hand") from error
            if not deadline.look_again():
                return
        else:
            return
        finally:
            os.close(descriptor)


def _open(system: SystemPaths, path: str) -> int:
    """Component by component: no link is followed out of the file system of groups."""
    descriptor = os.open(_root(system), _FOLDER & ~os.O_NOFOLLOW)
    for name in components(path):
        try:
            if name == "..":
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
            inner = os.open(name, _FOLDER, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _write(folder: int, name: str, text: str) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _root(system: SystemPaths) -> str:
    return system.path("/sys/fs/cgroup")
