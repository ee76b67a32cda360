"""The firmware's file where the kernel looks for it, under a name of its own."""

import errno
import posix as os
from time import gmtime, strftime

from hybrid_runtime.system.durable_file import remove_file, write_all
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.path import make_folders, on_machine
from hybrid_runtime.system.system_paths import SystemPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST_BYTES = 256 * 1024 * 1024
LONGEST_BASE_NAME = 128
# What helps where the folder cannot take it.
ANOTHER_FOLDER = (
    "name another folder: echo -n /var/lib/firmware > /sys/module/firmware_class/parameters/path until the next boot, "
    "firmware_class.path=/var/lib/firmware on the kernel's command line for good"
)
_REMEDIES = {
    errno.ENOSPC: f"free space there, or {ANOTHER_FOLDER}",
    errno.EROFS: f"mount it writable, or {ANOTHER_FOLDER}",
    errno.EACCES: f"call as root, or {ANOTHER_FOLDER}",
    errno.EFBIG: f"at most {LARGEST_BYTES} bytes are taken",
}
_CHUNK = 1 << 20
_IN_MAKING = ".tmp"
_HEXADECIMAL = frozenset("0123456789abcdef")
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-")


def unique_name(path: str, boot_id: str, random: str, time: str) -> str:
    """`<name>-<timestamp>-<boot id><random>`.

    A newline in the kernel's `firmware` attribute would cut the name there and load somebody else's file, so
    only harmless characters are kept.
    """
    base = path.rsplit("/", 1)[-1] or "firmware"
    safe = "".join(character if character in _ALLOWED else "_" for character in base)
    return f"{safe[:LONGEST_BASE_NAME]}-{time}-{boot_id}{random}"


def new_name(system: SystemPaths, path: str) -> str:
    return unique_name(path, system.boot_id(), os.urandom(4).hex(), strftime("%Y%m%dT%H%M%SZ", gmtime()))


def boot_of(name: str) -> str | None:
    """The boot id in a name of `unique_name`'s making, also of an install that died; None for any other name."""
    base, _, rest = name.removesuffix(_IN_MAKING).rpartition("-")
    _, dash, time = base.rpartition("-")
    if not dash or len(rest) != 16 or not _HEXADECIMAL.issuperset(rest):
        return None
    digits = time[:8] + time[9:15]
    if len(time) != 16 or (time[8], time[15]) != ("T", "Z") or not (digits.isascii() and digits.isdigit()):
        return None
    return rest[:8]


def names_of_ours(folder: str) -> list[str]:
    """The files in a firmware folder that this runtime has put there, for whomever."""
    try:
        return [name for name in os.listdir(folder) if boot_of(name) is not None]
    except OSError:
        return []


def check_size(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    if size > LARGEST_BYTES:
        raise Failure(f"the firmware has {size} bytes", f"at most {LARGEST_BYTES} are taken")


def install(source: int, target: str, check: "Callable[[int], None]") -> None:
    """Copy the descriptor's content to `target`: temporary name, check, fsync, rename. Raises Failure, nothing is left.

    `check` gets a descriptor of the copy and raises Failure for one that is not to run. Nobody else writes the copy,
    while the source may be written until the last moment.
    """
    temporary = f"{target}{_IN_MAKING}"
    try:
        make_folders(target.rpartition("/")[0])
        _make(source, temporary, check)
        os.rename(temporary, target)
    except Failure:
        remove_if_possible(temporary)
        raise
    except OSError as error:
        remove_if_possible(temporary)
        raise failed(f"cannot install the firmware as `{target}`", error, ANOTHER_FOLDER, _REMEDIES) from error


def _make(source: int, temporary: str, check: "Callable[[int], None]") -> None:
    """Private until it has passed the check."""
    descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _copy(source, descriptor)
        check(descriptor)
        os.fchmod(descriptor, _mode_of(source))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _copy(source: int, target: int) -> None:
    offset = 0
    while chunk := os.pread(source, _CHUNK, offset):
        write_all(target, chunk)
        offset += len(chunk)
        if offset > LARGEST_BYTES:
            # It has grown since its size was checked.
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))


def _mode_of(source: int) -> int:
    """No wider than that of the image's file. The kernel reads either with its own rights (fw_get_filesystem_firmware),
    older ones with those of whoever writes "start", and a helper of theirs is root. The caller's umask counts."""
    mask = os.umask(0o077)
    os.umask(mask)
    return (0o644 if os.fstat(source).st_mode & 0o004 else 0o600) & ~mask


def remove_installed(target: str) -> None:
    """The file, and what an install that died has left of it. Raises Failure."""
    try:
        remove_file(on_machine(target))
        remove_file(on_machine(f"{target}{_IN_MAKING}"))
    except OSError as error:
        raise failed(f"cannot remove `{target}`", error, "remove it by hand") from error


def remove_if_possible(path: str) -> None:
    """On the way out of another failure, which is the one to report."""
    try:
        remove_file(path)
    except OSError:
        return


def sha256(descriptor: int) -> str:
    """Hexadecimal digest; hashlib is loaded for those who ask."""
    from hashlib import sha256 as new_digest

    digest = new_digest()
    offset = 0
    while chunk := os.pread(descriptor, _CHUNK, offset):
        digest.update(chunk)
        offset += len(chunk)
    return digest.hexdigest()
