"""Room for archives on their way: files without a name, gone with the process that holds them."""

import os

# The temporary folder that is on a disk where there is one; /tmp and /run are often RAM.
LARGEST_BYTES = 1 << 30


class TemporaryFiles:
    """`folders` in order of preference. `largest` is what an archive may take, in bytes."""

    def __init__(self, folders: list[str], largest: int = LARGEST_BYTES) -> None:
        self.folders = folders
        self.largest = largest

    def new_file(self) -> int:
        """A descriptor for reading and writing. Raises OSError when no folder takes a file."""
        for folder in self.folders[:-1]:
            try:
                return _unnamed(folder)
            except OSError:
                continue
        return _unnamed(self.folders[-1])

    def new_path(self) -> str:
        """For programs that insist on a name: in the last folder, which goes as a whole when something fails."""
        return f"{self.folders[-1]}/image.tar"


def _unnamed(folder: str) -> int:
    try:
        return os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        # A file system without O_TMPFILE (open(2)).
        path = f"{folder}/.hybrid-runtime-{os.urandom(8).hex()}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        os.unlink(path)
        return descriptor
