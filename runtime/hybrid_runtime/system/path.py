"""Paths as os.path knows them. Loading os costs a verb more than all it does, so what engines wait for uses posix, the
C module behind it (docs/decisions/0006-start-up-time.md)."""

import posix as os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.system.outer_root import OuterRoot

# Of st_mode, as inode(7) has them.
KIND, FOLDER, FILE = 0o170000, 0o040000, 0o100000


class _Way:
    """From this process to the machine."""

    outer_root: "OuterRoot | None" = None


# There is one, as there is one root and one working folder.
_way = _Way()


def enter_another_root(outer: "OuterRoot") -> None:
    """From now on the root of this process may be another than the machine's."""
    _way.outer_root = outer


def on_machine(path: str) -> str:
    """An absolute path of the machine, as this process reaches it."""
    return path if _way.outer_root is None else _way.outer_root.path(path)


def as_named(text: str) -> str:
    """A path, or a text that quotes some, with the names that the machine has for them."""
    return text if _way.outer_root is None else _way.outer_root.named(text)


def resolved(path: str) -> str:
    """Absolute on the machine and without links, in the kernel's own words. Raises OSError unless it is there."""
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        return os.readlink(on_machine(f"/proc/self/fd/{descriptor}"))
    finally:
        os.close(descriptor)


def absolute(path: str) -> str:
    """Seen from the working folder, links as they are."""
    if path.startswith("/") and not path.endswith("/") and "//" not in path and "/." not in path:
        return path
    from os.path import abspath

    return abspath(path)


def exists(path: str) -> bool:
    return _mode(path) != 0


def link_exists(path: str) -> bool:
    """Also a link to nothing; unclear counts as there."""
    try:
        os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def is_folder(path: str) -> bool:
    return _mode(path) & KIND == FOLDER


def is_file(path: str, *, follow: bool = True) -> bool:
    """Regular, or a link to one if links are followed."""
    return _mode(path, follow=follow) & KIND == FILE


def _mode(path: str, *, follow: bool = True) -> int:
    """0 for what is not there or cannot be looked at."""
    try:
        return os.stat(path, follow_symlinks=follow).st_mode
    except (OSError, ValueError):
        return 0


def components(path: str) -> list[str]:
    """Its names, without the empty ones and `.`; `..` is left to whoever walks."""
    return [name for name in path.split("/") if name not in ("", ".")]


def open_folder(path: str) -> tuple[int, str]:
    """A descriptor of that very folder, and the path of its content, whatever becomes of its name. A link is no folder.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return descriptor, on_machine(f"/proc/self/fd/{descriptor}")


def make_folders(path: str, mode: int = 0o755) -> None:
    """It and those above it, as far as they are missing; `mode` is for the last. Raises OSError.

    None of them is writable for others, whatever the caller's umask.
    """
    try:
        os.mkdir(path, mode)
    except FileNotFoundError:
        make_folders(path.rpartition("/")[0] or "/")
        os.mkdir(path, mode)
    except OSError:
        if not is_folder(path):
            raise


def decoded(path: bytes) -> str:
    return path.decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def encoded(path: str) -> bytes:
    """Raises UnicodeEncodeError for half of a surrogate pair: that has no bytes."""
    return path.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
