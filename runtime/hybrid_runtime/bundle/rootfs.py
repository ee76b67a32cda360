"""Opening a file of a container's root file system without ever leaving it."""

import errno
import posix as os
import stat

from hybrid_runtime.system.failure import failed
from hybrid_runtime.system.path import components

# As the kernel's own limit on links in one path (path_resolution(7)).
MOST_LINKS = 40
# PATH_MAX of linux/limits.h
LONGEST_PATH = 4096


def places(path: str, working_folder: str) -> list[str]:
    """Where a file is looked for, the first place first: a relative path also below the working folder."""
    if path.startswith("/") or not components(working_folder):
        return [path]
    return [f"{working_folder}/{path}", path]


def open_inside(root: str, path: str, working_folder: str = "/") -> int:
    """A descriptor of the regular file that `path` means with `root` as "/".

    Component by component: links are read and followed inside, `..` stops at the root. Raises Failure for
    anything else: what is opened here runs on a core and was written by a stranger.
    """
    *before, last = places(path, working_folder)
    try:
        for place in before:
            try:
                return descriptor_inside(root, place)
            except (FileNotFoundError, NotADirectoryError):
                continue
        return descriptor_inside(root, last)
    except OSError as error:
        below = f", below `{working_folder}` or `/`" if before else ""
        raise failed(
            f"cannot open the firmware `{path}` in `{root}`{below}",
            error,
            "process.args must name a file of the image",
        ) from error


def descriptor_inside(root: str, path: str) -> int:
    """As open_inside. Raises OSError."""
    return _Walk(root).open(path)


class _Walk:
    def __init__(self, root: str) -> None:
        self.root = root
        self.links = 0

    def open(self, path: str) -> int:
        if len(path) >= LONGEST_PATH:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        pending = components(path)
        folders = [os.open(self.root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)]
        try:
            while pending:
                name = pending.pop(0)
                if name == "..":
                    if len(folders) > 1:
                        os.close(folders.pop())
                    continue
                mode = os.stat(name, dir_fd=folders[-1], follow_symlinks=False).st_mode
                if stat.S_ISLNK(mode):
                    pending = self._follow(folders, name) + pending
                elif pending:
                    folders.append(_open_folder(folders[-1], name))
                elif stat.S_ISREG(mode):
                    return _open_regular(folders[-1], name)
                else:
                    # Not even opened: that alone starts a watchdog, and stops a core by its /dev/remoteprocN.
                    raise OSError(errno.EINVAL, "not a regular file")
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        finally:
            for folder in folders:
                os.close(folder)

    def _follow(self, folders: list[int], name: str) -> list[str]:
        self.links += 1
        if self.links > MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(name, dir_fd=folders[-1])
        if target.startswith("/"):
            while len(folders) > 1:
                os.close(folders.pop())
        return components(target)


def _open_folder(parent: int, name: str) -> int:
    return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)


def _open_regular(parent: int, name: str) -> int:
    # Replaced since it was looked at? O_NONBLOCK: the open of a FIFO without a writer would wait for ever.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file")
