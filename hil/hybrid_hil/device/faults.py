"""Faults for a board with the runtime on it. Those that last end with their `with` block."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.rig import Rig
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Shell

RECONNECT_S = 30.0
FILL_S = 60.0
GROUP = "/sys/fs/cgroup/hil-fault"

# Nine tenths at once where the file system can, then what is left, in ever smaller pieces.
# ext4 gives blocks of removed files back when its journal commits: then there is room once more.
_FILL = """
free() {{ df -k {path} | awk 'END {{ print $4 }}'; }}
sync
fallocate -l $(($(free) * 922)) {ballast} 2>/dev/null
n=0
while
  for size in 65536 4096 1; do dd if=/dev/zero bs=$size 2>/dev/null >>{ballast}; done
  sync; [ "$(free)" != 0 ]
do n=$((n + 1)); [ $n -lt 8 ] || exit 1; done
"""
# A mount is remounted; anything else becomes one of its own for the time. mount(8) finds it by its real path.
_READ_ONLY = """
sync; real=$(realpath {path})
if grep -q " $real " /proc/mounts; then mount -o remount,ro $real
else mount --bind $real $real && touch {mark} && mount -o remount,bind,ro $real
fi
"""
_WRITABLE = """
real=$(realpath {path})
if [ -e {mark} ]; then rm {mark} && umount $real; else mount -o remount,rw $real; fi
"""
_MARK = "/run/hil-read-only"
_JUMP = "date -s @$(($(date +%s) + {seconds})) >/dev/null"


class HarmfulError(RigError):
    """A fault would strike what is not the rig's."""


class Faults:
    """What can befall a board, at the moment a test chooses. Where others run as well, what strikes all of the board
    raises HarmfulError."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig

    @property
    def _shell(self) -> Shell:
        return self._rig.board.shell

    def _require_exclusive(self) -> None:
        if not self._rig.board.exclusive:
            remedy = "`exclusive = true` in its board file says that nothing else runs there"
            raise HarmfulError(f"this fault strikes all of the board `{self._rig.board.name}`", remedy)

    def crash(self, processor: str) -> None:
        """The kernel's own injection: as if the watchdog had fired."""
        self._shell.run(
            "for p in /sys/class/remoteproc/*; do "
            f'read -r name <"$p/name"; [ "$name" != {shlex.quote(processor)} ] || '
            'exec sh -c "echo 1 >/sys/kernel/debug/remoteproc/${p##*/}/crash"; done; exit 3'
        )

    def kill(self, pid: int) -> None:
        """SIGKILL."""
        self._shell.run(["kill", "-9", str(pid)])

    def cut_power(self) -> None:
        """In the middle of whatever runs; the board is up again afterwards. A disk that is kept has what the kernel
        had written to it by then, and no more."""
        self._require_exclusive()
        self._rig.board.power_off()
        self._rig.boot()

    @contextmanager
    def fill(self, path: str) -> Iterator[None]:
        """The file system of that folder has no byte left."""
        self._require_exclusive()
        ballast = f"{path.rstrip('/')}/ballast"
        try:
            self._shell.run(_FILL.format(path=path, ballast=ballast), deadline=Deadline(FILL_S))
            yield
        finally:
            self._shell.run(["rm", "-f", ballast])

    @contextmanager
    def read_only(self, path: str) -> Iterator[None]:
        """The file system mounted there, or that file or folder alone, refuses to be written."""
        self._require_exclusive()
        self._shell.run(_READ_ONLY.format(path=path, mark=_MARK))
        try:
            yield
        finally:
            self._shell.run(_WRITABLE.format(path=path, mark=_MARK))

    @contextmanager
    def lose_ssh(self) -> Iterator[None]:
        """The connection breaks under whatever it carries; a new one is made at the end."""
        self._shell.close()
        try:
            yield
        finally:
            self._shell.reconnect(Deadline(RECONNECT_S))

    @contextmanager
    def little_memory(self, kibibytes: int) -> Iterator[str]:
        """Words to put before a command, which gets no more memory than that, its children included."""
        self._shell.run(f"mkdir {GROUP} && echo {kibibytes}K >{GROUP}/memory.max")
        try:
            yield f"sh -c 'echo $$ >{GROUP}/cgroup.procs; exec \"$@\"' sh"
        finally:
            self._shell.run(
                f"while read -r pid; do echo $pid >/sys/fs/cgroup/cgroup.procs; done <{GROUP}/cgroup.procs; "
                f"n=0; until rmdir {GROUP} 2>/dev/null; do n=$((n + 1)); [ $n -lt 100 ] || exit 3; usleep 20000; done"
            )

    @contextmanager
    def exhaust_memory(self, pid: int) -> Iterator[None]:
        """The next page this process asks for is its death."""
        with self.little_memory(0):
            self._shell.run(f"echo {pid} >{GROUP}/cgroup.procs")
            yield

    @contextmanager
    def jump_clock(self, seconds: int) -> Iterator[None]:
        """The wall clock is so far ahead, or behind."""
        self._require_exclusive()
        self._shell.run(_JUMP.format(seconds=seconds))
        try:
            yield
        finally:
            self._shell.run(_JUMP.format(seconds=-seconds))
