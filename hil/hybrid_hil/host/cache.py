"""The rig's cache: components that are published whole or not at all, each made by one process at a time."""

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from hybrid_hil.failure import RigError
from hybrid_hil.terminal import Reporter, Step

UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Component:
    """One thing that was made, named by the hash of all that goes into it: `KIND/DIGEST` in the cache."""

    kind: str
    digest: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.digest}"


Maker = Callable[[Path, Step], None]


class Cache:
    """A folder of components, `$XDG_CACHE_HOME/hybrid-hil` unless told otherwise.

    A component is made in a folder of its own beside its place, flushed to disk, and renamed into place
    while its lock is held. A maker that died leaves that folder, and nobody on its lock: the next removes it.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root if root is not None else user_cache_path("hybrid-hil")

    def path(self, component: Component) -> Path:
        return self.root / component.kind / component.digest

    def has(self, component: Component) -> bool:
        return self.path(component).is_dir()

    def made(self, component: Component, make: Maker, reporter: Reporter, title: str, *, rebuild: bool = False) -> Path:
        """The folder of `component`, made by `make` when it is not there, or in any case with `rebuild`.

        `make` fills the folder it is given. Whoever else makes the same is waited for, its result taken.
        """
        place = self.path(component)
        if self.has(component) and not rebuild:
            return place
        with self._turn(component, reporter, title) as waited:
            if self.has(component) and (waited or not rebuild):
                return place
            with reporter.step(title) as step:
                self._make(component, make, step)
        return place

    @contextlib.contextmanager
    def workplace(self, component: Component, reporter: Reporter, title: str) -> Iterator[Path]:
        """The folder of `component`, for one build at a time; what a build leaves there the next one finds, however
        the first has ended."""
        with self._turn(component, reporter, title):
            place = self.path(component)
            place.mkdir(parents=True, exist_ok=True)
            yield place

    def components(self, kind: str) -> list[Component]:
        """The published components of one kind, newest first."""
        folders = [path for path in (self.root / kind).glob("*") if not _is_unfinished(path)]
        newest_first = sorted(folders, key=_changed, reverse=True)
        return [Component(kind, path.name) for path in newest_first]

    @contextlib.contextmanager
    def occupied(self) -> Iterator[None]:
        """Keeps the cache from being cleaned meanwhile."""
        with self._guard(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps builds out meanwhile.

        Raises:
            RigError: one is under way.
        """
        try:
            with self._guard(fcntl.LOCK_EX | fcntl.LOCK_NB):
                yield
        except BlockingIOError as error:
            raise RigError(f"`{self.root}` is in use by a build", "try again when it has ended") from error

    def sweep(self) -> list[Path]:
        """Removes what builds that died have left; those under way hold their locks and are not touched."""
        swept = []
        for leftover in self._unfinished():
            component = Component(leftover.parent.name, leftover.name.removeprefix(".").split(".")[0])
            with self.claimed(component) as free:
                if free:
                    remove_tree(leftover)
                    swept.append(leftover)
        return swept

    @contextlib.contextmanager
    def claimed(self, component: Component) -> Iterator[bool]:
        """Holds the lock of `component` if nobody has it; says whether it does."""
        lock = self._lock(component)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def remove(self, component: Component) -> None:
        """Removes a component; at no moment is half of one in its place."""
        grave = self._unfinished_path(component)
        self.path(component).rename(grave)
        remove_tree(grave)

    def forget(self) -> None:
        """Removes logs and locks of components that are gone; only for who is alone in the cache."""
        for path in (*self.root.glob("logs/*.log"), *self.root.glob("locks/*.lock")):
            if not self.has(Component(*path.stem.split("-", 1))):
                path.unlink()

    def _make(self, component: Component, make: Maker, step: Step) -> None:
        folder = self._unfinished_path(component)
        folder.mkdir(parents=True)
        try:
            make(folder, step)
            flush_tree(folder)
            self._publish(folder, component)
        finally:
            step.detail("clearing up")
            remove_tree(folder)

    def _publish(self, folder: Path, component: Component) -> None:
        place = self.path(component)
        if place.exists():
            grave = self._unfinished_path(component)
            place.rename(grave)
            folder.rename(place)
            remove_tree(grave)
        else:
            folder.rename(place)
        _flush(place.parent)

    @contextlib.contextmanager
    def _turn(self, component: Component, reporter: Reporter, title: str) -> Iterator[bool]:
        """Holds the lock of `component`; says whether somebody else had it before."""
        lock = self._lock(component)
        waited = False
        try:
            lock.acquire(blocking=False)
        except Timeout:
            waited = True
            with reporter.step(f"waiting for another process {title}"):
                lock.acquire(poll_interval=0.2)
        try:
            yield waited
        finally:
            lock.release()

    def _lock(self, component: Component) -> FileLock:
        locks = self.root / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        return FileLock(locks / f"{component}.lock", is_singleton=False)

    @contextlib.contextmanager
    def _guard(self, operation: int) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / "guard.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, operation)
            yield
        finally:
            os.close(descriptor)

    def _unfinished_path(self, component: Component) -> Path:
        return self.root / component.kind / f".{component.digest}.{secrets.token_hex(4)}{UNFINISHED}"

    def _unfinished(self) -> list[Path]:
        return sorted(self.root.glob(f"*/.*{UNFINISHED}"))


def _changed(path: Path) -> float:
    """When; 0 for one that has just been removed."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _is_unfinished(path: Path) -> bool:
    return path.name.endswith(UNFINISHED)


def remove_tree(folder: Path) -> None:
    """Removes `folder` if it is there, read-only folders inside it included."""
    for parent, names, _ in os.walk(folder):
        for name in names:
            inner = Path(parent, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=not folder.exists())


def flush_tree(folder: Path) -> None:
    """Brings every file below `folder`, and the names of them, to the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                _flush(path)
        _flush(Path(parent))


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
