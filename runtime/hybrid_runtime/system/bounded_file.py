"""Files of others, of which no more is read than is wanted."""

import posix as os

from hybrid_runtime.system.path import FILE, FOLDER, KIND


def read_file(path: str, most: int) -> bytes:
    """At most so many bytes of a regular file. A pipe is not waited for, and a device not read. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        kind = os.fstat(descriptor).st_mode & KIND
        if kind == FOLDER:
            raise IsADirectoryError(21, "is a folder", path)
        if kind != FILE:
            raise OSError(22, "not a regular file", path)
        data = b""
        while len(data) < most and (piece := os.read(descriptor, most - len(data))):
            data += piece
        return data
    finally:
        os.close(descriptor)
