"""Deaths and errors at one exact system call of a process, by strace(1), on this machine or on a board.

A run is recorded first. strace counts each kind of call by itself, so the N-th call of all is named by its kind and
by how many of that kind have come: `openat` the 57th time.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

T = TypeVar("T")

_CALL = re.compile(r"(?:\[pid +\d+\] |\d+ +)?(\w+)\((.*)")
_PATH = re.compile(r'"([^"]*)"')
_RESULT = re.compile(r"= (-?\d+|\?)")
# Their number differs from run to run with the memory layout, and they change nothing that outlives the process.
_NOISE = frozenset(("mmap", "munmap", "brk", "madvise", "mremap", "mprotect", "restart_syscall", "exit_group"))
_CHANGING = frozenset(
    ("mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "fsync", "ftruncate")
)
# What others can tell of a process: its files, locks, messages, signals and children. fsync(2) shows after a power cut.
_ACTING = (_CHANGING - {"fsync"}) | {
    *("write", "writev", "pwrite64", "flock", "clone", "clone3", "fork", "vfork", "kill", "pidfd_send_signal"),
    *("socket", "bind", "listen", "connect", "sendto", "sendmsg", "shutdown"),
    *("chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "link", "linkat", "symlink", "symlinkat"),
    *("mount", "umount2", "pivot_root", "unshare", "setns", "chroot"),
}
# What each errno makes of a call that changes files.
ERRNOS = ("ENOSPC", "EIO", "EROFS")


@dataclass(frozen=True)
class Call:
    """`number`: how many of this kind have come, itself included. `path`: of the file a write(2) goes to, where
    the trace shows it being opened."""

    name: str
    number: int
    arguments: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.number}"

    @property
    def changes_files(self) -> bool:
        """Whether a full, failing or read-only disk may refuse it. What sysfs is told is no disk's matter."""
        if self.name in ("open", "openat"):
            return "O_CREAT" in self.arguments
        if self.name == "write":
            return bool(self.path) and "/sys/" not in self.path
        return self.name in _CHANGING

    @property
    def acts(self) -> bool:
        """Whether others can tell that it was made. A death at any other is the death at the next that acts."""
        return self.name in _ACTING or (self.name in ("open", "openat") and "O_CREAT" in self.arguments)

    @property
    def forked(self) -> int | None:
        """The child's pid, for the call that made one."""
        if self.name not in ("clone", "clone3", "fork", "vfork"):
            return None
        result = _RESULT.findall(self.arguments)
        return int(result[-1]) if result and result[-1].isdigit() else None

    def killing(self) -> list[str]:
        """strace's options: SIGKILL as the call is entered; it is not carried out."""
        return ["-e", f"trace={self.name}", "-e", f"inject={self.name}:signal=SIGKILL:when={self.number}"]

    def delayed(self, seconds: float) -> list[str]:
        """strace's options: the call is entered, and carried out so much later."""
        inject = f"inject={self.name}:delay_enter={int(seconds * 1_000_000)}:when={self.number}"
        return ["-e", f"trace={self.name}", "-e", inject]

    def failing(self, errno: str) -> list[str]:
        """strace's options: the call is not carried out and gives that error."""
        return ["-e", f"trace={self.name}", "-e", f"inject={self.name}:error={errno}:when={self.number}"]


def recorded(trace: str) -> list[Call]:
    """The calls of one process, in their order."""
    numbers: Counter[str] = Counter()
    opened: dict[str, str] = {}
    calls = []
    for match in map(_CALL.match, trace.splitlines()):
        if not match or match[1] in _NOISE:
            continue
        name, arguments = match[1], match[2]
        descriptor = arguments.split(",")[0].split(")")[0]
        numbers[name] += 1
        calls.append(Call(name, numbers[name], arguments, opened.get(descriptor, "") if name == "write" else ""))
        # Without a result where strace let go of the process in the middle of the call.
        if name in ("open", "openat") and (path := _PATH.search(arguments)) and (result := _RESULT.findall(arguments)):
            opened[result[-1]] = path[1]
        elif name == "close":
            opened.pop(descriptor, None)
    return calls


def from_first_touch(calls: Sequence[Call], path: str) -> list[Call]:
    """From the first call on that names something below `path`: before, an interpreter loads its modules."""
    first = next(index for index, call in enumerate(calls) if f'"{path}' in call.arguments)
    return list(calls[first:])


def telling(calls: Sequence[Call]) -> list[Call]:
    """Those at which deaths can differ: each that acts, and the last of all for what comes after them."""
    return [*(call for call in calls[:-1] if call.acts), *calls[-1:]]


def parted(choice: Sequence[T], parts: int) -> list[Sequence[T]]:
    """All of them in so many parts of about one size, in their order; fewer where there are fewer than parts."""
    parts = max(1, min(parts, len(choice)))
    edges = [round(index * len(choice) / parts) for index in range(parts + 1)]
    return [choice[begin:end] for begin, end in pairwise(edges)]


def evenly(choice: Sequence[T], most: int | None) -> list[T]:
    """At most that many, evenly spread from the first to the last; the middle one for 1, all for None."""
    if most is None or len(choice) <= most:
        return list(choice)
    if most == 1:
        return [choice[len(choice) // 2]]
    return [choice[round(index * (len(choice) - 1) / (most - 1))] for index in range(most)]
