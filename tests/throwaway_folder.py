"""A folder for the time of one run. It goes with its run, and what a killed run left goes with the next."""

import secrets
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout


class ThrowawayFolder:
    """A new folder `PREFIX…` in the place for temporary files. A context manager that gives its path.

    A lock beside it says that somebody still has it, and dies with them. It is taken before the folder is made.
    """

    def __init__(self, prefix: str) -> None:
        place = Path(tempfile.gettempdir())
        sweep(place, prefix)
        self.path = place / f"{prefix}{secrets.token_hex(4)}"
        self._lock = FileLock(lock_of(self.path))

    def __enter__(self) -> Path:
        self._lock.acquire(blocking=False)
        try:
            self.path.mkdir(0o700)
        except BaseException:
            self._release()
            raise
        return self.path

    def __exit__(self, *exc: object) -> None:
        shutil.rmtree(self.path, ignore_errors=not self.path.exists())
        self._release()

    def _release(self) -> None:
        self._lock.release()
        lock_of(self.path).unlink(missing_ok=True)


def lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def sweep(place: Path, prefix: str) -> list[Path]:
    """Removes the folders in `place` that nobody has any more, and returns them."""
    swept = []
    for folder in sorted(path for path in place.glob(f"{prefix}*") if path.is_dir()):
        lock = FileLock(lock_of(folder))
        try:
            lock.acquire(blocking=False)
        except Timeout:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()
        lock_of(folder).unlink(missing_ok=True)
        swept.append(folder)
    return swept
