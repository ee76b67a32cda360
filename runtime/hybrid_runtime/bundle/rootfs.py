"""What a path means inside a root file system that nobody may leave, on a disk or in an image."""

import errno
import posix as os
import stat

from hybrid_runtime.system.failure import failed
from hybrid_runtime.system.path import components

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol, Self, TypeVar

    Found_co = TypeVar("Found_co", covariant=True)

    class Folder(Protocol[Found_co]):
        """Of names but `..`. Every method raises OSError with the kernel's errno."""

        def link_target(self, name: str) -> str | None:
            """None for what is there and no link."""

        def enter(self, name: str) -> Self:
            """The folder of that name, which is no link."""

        def take(self, name: str) -> Found_co:
            """The regular file of that name, which is no link."""

        def leave(self) -> None:
            """It is not asked again."""


# As the kernel's own limit on links in one path (path_resolution(7)).
MOST_LINKS = 40
# PATH_MAX of linux/limits.h
LONGEST_PATH = 4096


def places(path: str, working_folder: str) -> list[str]:
    """Where a file is looked for, the first place first: a relative path also below the working folder."""
    if path.startswith("/") or not components(working_folder):
        return [path]
    return [f"{working_folder}/{path}", path]


def find(root: "Callable[[], Folder[Found_co]]", path: str, working_folder: str) -> "Found_co":
    """The regular file that `path` means, in the first place that has one. Raises OSError."""
    *before, last = places(path, working_folder)
    for place in before:
        try:
            return walk(root(), place)
        except (FileNotFoundError, NotADirectoryError):
            continue
    return walk(root(), last)


def walk(root: "Folder[Found_co]", path: str) -> "Found_co":
    """The regular file that `path` means: links are followed inside, `..` stops at the root. Raises OSError."""
    folders, pending, links = [root], components(path), 0
    try:
        if len(path) >= LONGEST_PATH:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        while pending:
            name = pending.pop(0)
            if name == "..":
                if len(folders) > 1:
                    folders.pop().leave()
                continue
            target = folders[-1].link_target(name)
            if target is not None:
                links += 1
                pending = components(target) + pending
                if links > MOST_LINKS or len(pending) > LONGEST_PATH:
                    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
                while target.startswith("/") and len(folders) > 1:
                    folders.pop().leave()
            elif pending:
                folders.append(folders[-1].enter(name))
            else:
                return folders[-1].take(name)
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    finally:
        for folder in folders:
            folder.leave()


def open_inside(root: str, path: str, working_folder: str = "/") -> int:
    """A descriptor of the regular file that `path` means with `root` as "/".

    Raises Failure for anything else: what is opened here runs on a core and was written by a stranger.
    """
    try:
        return find(lambda: _open_root(root), path, working_folder)
    except OSError as error:
        below = f", below `{working_folder}` or `/`" if len(places(path, working_folder)) > 1 else ""
        what = f"cannot open the firmware `{path}` in `{root}`{below}"
        raise failed(what, error, "process.args must name a file of the image") from error


def descriptor_inside(root: str, path: str) -> int:
    """As open_inside. Raises OSError."""
    return walk(_open_root(root), path)


def _open_root(path: str) -> "_OpenFolder":
    return _OpenFolder(os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))


class _OpenFolder:
    """On a disk."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def link_target(self, name: str) -> str | None:
        is_link = stat.S_ISLNK(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode)
        return os.readlink(name, dir_fd=self.descriptor) if is_link else None

    def enter(self, name: str) -> "_OpenFolder":
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        return _OpenFolder(os.open(name, flags, dir_fd=self.descriptor))

    def take(self, name: str) -> int:
        """Nothing else is even opened: that alone starts a watchdog, and stops a core by its /dev/remoteprocN."""
        if stat.S_ISREG(os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode):
            # Replaced since it was looked at? O_NONBLOCK: the open of a FIFO without a writer would wait for ever.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(name, flags, dir_fd=self.descriptor)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return descriptor
            os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file")

    def leave(self) -> None:
        os.close(self.descriptor)
