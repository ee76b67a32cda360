"""Paths as os.path knows them. Loading os costs a verb more than all it does, so what engines wait for uses posix, the
C module behind it (docs/decisions/0006-start-up-time.md)."""

import posix as os
import sys

# Of st_mode, as inode(7) has them.
_KIND, _FOLDER, _FILE, _PIPE, _SOCKET = 0o170000, 0o040000, 0o100000, 0o010000, 0o140000


class _Way:
    """From this process to the machine."""

    def __init__(self) -> None:
        self.prefix = ""
        # Where folders really are. Absolute links on the way to them would lead into another root.
        self.folders: dict[str, str] = {}


# There is one, as there is one root and one working folder.
_way = _Way()


def reach_machine_from_working_folder(folders: list[str]) -> None:
    """From now on: the working folder is the machine's root, and the root of this process may be another.

    `folders` may lie behind links, or not be there yet. All other paths lead through none but the kernel's own links,
    which are relative.
    """
    _way.folders = {folder: _resolved_so_far(folder) for folder in folders if folder}
    _way.prefix = "."


def _resolved_so_far(folder: str) -> str:
    try:
        return resolved(folder)
    except OSError:
        outer, _, name = folder.rpartition("/")
        return f"{_resolved_so_far(outer)}/{name}" if outer else folder


def on_machine(path: str) -> str:
    """An absolute path of the machine, as this process reaches it."""
    if not _way.prefix:
        return path
    folder = path
    while folder and folder not in _way.folders:
        folder = folder.rpartition("/")[0]
    return f"{_way.prefix}{_way.folders.get(folder, '')}{path[len(folder) :]}"


def as_named(text: str) -> str:
    """A path, or a text that quotes some, with the names that the machine has for them."""
    if not _way.prefix:
        return text
    there = f"{_way.prefix}/"
    text = text.replace(f"`{there}", "`/")
    return f"/{text[len(there) :]}" if text.startswith(there) else text


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
    return _mode(path) & _KIND == _FOLDER


def is_file(path: str, *, follow: bool = True) -> bool:
    """Regular, or a link to one if links are followed."""
    return _mode(path, follow=follow) & _KIND == _FILE


def is_pipe(descriptor: int) -> bool:
    """Also a FIFO. Raises OSError."""
    return os.fstat(descriptor).st_mode & _KIND == _PIPE


def is_socket(descriptor: int) -> bool:
    """Raises OSError."""
    return os.fstat(descriptor).st_mode & _KIND == _SOCKET


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


def as_word(path: str) -> str:
    """One word of a command for the shell, to be pasted."""
    plain = path.replace("/", "").replace("-", "").replace("_", "").replace(".", "").replace("+", "")
    if plain.isascii() and plain.isalnum():
        return path
    quoted = path.replace("'", "'\\''")
    return f"'{quoted}'"


def read_file(path: str, most: int) -> bytes:
    """At most so many bytes of a regular file. A pipe is not waited for, and a device not read. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        kind = os.fstat(descriptor).st_mode & _KIND
        if kind == _FOLDER:
            raise IsADirectoryError(21, "is a folder", path)
        if kind != _FILE:
            raise OSError(22, "not a regular file", path)
        data = b""
        while len(data) < most and (piece := os.read(descriptor, most - len(data))):
            data += piece
        return data
    finally:
        os.close(descriptor)


def decoded(path: bytes) -> str:
    return path.decode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def encoded(path: str) -> bytes:
    """Raises UnicodeEncodeError for half of a surrogate pair: that has no bytes."""
    return path.encode(sys.getfilesystemencoding(), sys.getfilesystemencodeerrors())


def same_file(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
