"""Files that are there whole or not at all, whatever kills the writer."""

import os


def write_durably(path: str, data: bytes, mode: int = 0o600, *, temporary: str = "") -> None:
    """Temporary name beside the target, fsync, rename. Raises OSError and then leaves nothing.

    The temporary name is unique, unless one is given by the only writer of the file: what a writer that was
    killed has left under it is taken away.
    """
    if temporary:
        remove_file(temporary)
    else:
        temporary = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except OSError:
        remove_file(temporary)
        raise


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
