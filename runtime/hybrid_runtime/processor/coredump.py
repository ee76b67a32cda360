"""A crashed core's memory, as the kernel keeps it for a while (drivers/base/devcoredump.c), and as a file.

The kernel makes a dump only while it recovers a core (rproc_boot_recovery), and none while an older one of the same
processor is still there.
"""

import posix as os

from hybrid_runtime.system.durable_file import remove_file, write_all
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.path import make_folders, on_machine, open_folder, resolved
from hybrid_runtime.system.process_identity import is_alive, start_time
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.timestamp import compact

LARGEST_BYTES = 64 << 20
MOST_KEPT = 5
# sysfs gives a page at each read: this many come between two looks at everything else.
_READS_PER_STEP = 64
_LARGEST_READ = 64 * 1024
# Written out bit by bit, so that no single wait for the disk is long.
_BYTES_PER_SYNC = 4 << 20
# A file's name may have 255 bytes, and an id as many.
_LONGEST_IDENTIFIER = 200
_IN_MAKING = ".tmp"


class KernelDump:
    """A dump of a processor in the kernel's hands; freed there after five minutes by itself."""

    def __init__(self, path: str) -> None:
        self.path = path

    @property
    def data(self) -> str:
        return f"{self.path}/data"

    def free(self) -> None:
        """Makes room for the next one. A dump that is gone is none to free."""
        try:
            descriptor = os.open(self.data, os.O_WRONLY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            os.write(descriptor, b"1")
        except OSError:
            return
        finally:
            os.close(descriptor)


def find_dump(system: SystemPaths, device: str) -> KernelDump | None:
    """The dump whose failing device is this processor; there is never more than one."""
    folder = system.path("/sys/class/devcoredump")
    try:
        names = os.listdir(folder)
        ours = resolved(f"{system.remoteproc_class}/{device}")
    except OSError:
        return None
    for name in names:
        path = f"{folder}/{name}"
        try:
            if resolved(f"{path}/failing_device") == ours:
                return KernelDump(on_machine(resolved(path)))
        except OSError:
            # Freed this moment, or the class's own file.
            continue
    return None


class DumpCopy:
    """A dump on its way into a file, a step at a time. The file has its name only when it is whole."""

    def __init__(self, system: SystemPaths, dump: KernelDump, identifier: str) -> None:
        """Raises OSError."""
        self.dump = dump
        self.name = f"{identifier[:_LONGEST_IDENTIFIER]}-{compact()}.elf"
        self.path = f"{system.coredumps}/{self.name}"
        self.size = 0
        self.unsynced = 0
        make_folders(system.coredumps, 0o700)
        # A link in its place would lead root to write and remove elsewhere.
        self.descriptor, self.folder = open_folder(system.coredumps)
        self.temporary = f"{self.folder}/{os.getpid()}-{start_time(os.getpid()) or 0}{_IN_MAKING}"
        self.source = -1
        try:
            _remove_interrupted(self.folder)
            remove_file(self.temporary)
            self.source = os.open(dump.data, os.O_RDONLY | os.O_CLOEXEC)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self.target = os.open(self.temporary, flags, 0o600)
        except OSError:
            os.close(self.descriptor)
            if self.source >= 0:
                os.close(self.source)
            raise

    def step(self) -> bool:
        """True when the file is complete. Raises OSError or Failure, and then nothing of it is left."""
        try:
            for _ in range(_READS_PER_STEP):
                piece = os.read(self.source, _LARGEST_READ)
                if not piece:
                    self._complete()
                    return True
                self._add(piece)
        except BaseException:
            self.cancel()
            raise
        return False

    def _add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self.size > LARGEST_BYTES:
            raise Failure(f"it is larger than {LARGEST_BYTES >> 20} MiB")
        write_all(self.target, piece)
        self.unsynced += len(piece)
        if self.unsynced >= _BYTES_PER_SYNC:
            os.fsync(self.target)
            self.unsynced = 0

    def _complete(self) -> None:
        if not self.size:
            raise Failure("the kernel gave no byte of it")
        os.fsync(self.target)
        os.rename(self.temporary, f"{self.folder}/{self.name}")
        _remove_oldest(self.folder, self.name)
        self._close()

    def cancel(self) -> None:
        """Nothing is left. For a copy that is not complete."""
        try:
            remove_file(self.temporary)
        except OSError:
            # Taken away before the next one.
            return
        finally:
            self._close()

    def _close(self) -> None:
        os.close(self.source)
        os.close(self.target)
        os.close(self.descriptor)


def _remove_interrupted(folder: str) -> None:
    """What supervisors that were killed have left half-written: the names tell whose they are."""
    for name in os.listdir(folder):
        pid, _, started = name.removesuffix(_IN_MAKING).partition("-")
        if name.endswith(_IN_MAKING) and pid.isdigit() and started.isdigit() and not is_alive(int(pid), int(started)):
            remove_file(f"{folder}/{name}")


def _remove_oldest(folder: str, newest: str) -> None:
    """`newest` stays, also when the clock was set back and the others have come later by their times."""
    try:
        dumps = [entry for entry in os.scandir(folder) if entry.name.endswith(".elf") and entry.name != newest]
        dumps.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)
        for entry in dumps[: -(MOST_KEPT - 1)]:
            remove_file(entry.path)
    except OSError:
        # Another container's supervisor is at it as well.
        return


def failure_text(error: Exception) -> str:
    """Why a copy failed."""
    return errno_meaning(error) if isinstance(error, OSError) else str(error)
