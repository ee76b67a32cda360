"""Files that are there whole or not at all, whatever kills the writer."""

import posix as os


def write_durably(
    path: str,
    data: bytes,
    mode: int = 0o600,
    *,
    temporary: str = "",
    as_folder: bool = False,
    like: os.stat_result | None = None,
) -> None:
    """Temporary name beside the target, fsync, rename. Raises OSError and then leaves nothing.

    The temporary name is unique, unless one is given by the only writer of the file: what a writer that was
    killed has left under it is taken away. `as_folder`: who may use the folder may use the file. `like`: its owner and
    mode are those of another file, from the first byte on.
    """
    if temporary:
        remove_file(temporary)
    else:
        temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        try:
            if as_folder:
                share_as_folder(descriptor, path.rpartition("/")[0])
            if like is not None:
                os.fchown(descriptor, like.st_uid, like.st_gid)
                os.fchmod(descriptor, like.st_mode & 0o777)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except OSError:
        remove_file(temporary)
        raise


def share_as_folder(descriptor: int, folder: str) -> None:
    """For a file that the caller has just made: the group may use it, if it may write to the folder. The owner stays.

    The caller keeps its own access, whatever becomes of this."""
    facts = os.stat(folder)
    ours = os.fstat(descriptor)
    if facts.st_mode & 0o070 != 0o070 or ours.st_nlink != 1:
        return
    try:
        if ours.st_gid != facts.st_gid:
            os.fchown(descriptor, -1, facts.st_gid)
        os.fchmod(descriptor, 0o660)
    except OSError:
        # A group that our user namespace has no number for, or that we are no member of.
        return


def write_all(descriptor: int, data: bytes) -> None:
    """write(2) until everything is written. Raises OSError."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def remove_file(path: str) -> None:
    """Gone afterwards, also when it was gone before. Raises OSError otherwise."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
    except OSError:
        # A read-only file system refuses also what would not be there.
        from hybrid_runtime.system.path import link_exists

        if link_exists(path):
            raise
