"""A component is published whole or not at all, once, and what died is swept."""

import errno
import multiprocessing
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.store import Builder, Component, Store
from hybrid_hil.terminal import QuietReporter, Reporter, Step

KERNEL = Component("kernel", "0123456789abcdef")
# not a fork of this process, which has other threads
SPAWN = multiprocessing.get_context("spawn")
PATIENCE = 30


def write(text: str) -> Builder:
    def build(folder: Path, _runner: BuildRunner, _step: Step) -> None:
        (folder / "Image").write_text(text)

    return build


def never(_folder: Path, _runner: BuildRunner, _step: Step) -> None:
    pytest.fail("built what was there")


def leftovers(store: Store) -> list[Path]:
    return [path for path in store.root.glob("*/.*") if path.is_dir()]


def test_builds_once_and_finds_it_again(store: Store, reporter: Reporter) -> None:
    place = store.ensure(KERNEL, write("first"), reporter, "building")
    assert store.ensure(KERNEL, never, reporter, "building") == place
    assert (place / "Image").read_text() == "first"
    assert leftovers(store) == []


def test_rebuild_replaces(store: Store, reporter: Reporter) -> None:
    store.ensure(KERNEL, write("first"), reporter, "building")
    place = store.ensure(KERNEL, write("second"), reporter, "building", rebuild=True)
    assert (place / "Image").read_text() == "second"
    assert leftovers(store) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "full"), RigError("no")])
def test_failed_build_leaves_nothing(store: Store, reporter: Reporter, error: BaseException) -> None:
    def fail(folder: Path, _runner: BuildRunner, _step: Step) -> None:
        (folder / "Image").write_text("half")
        raise error

    with pytest.raises(type(error)):
        store.ensure(KERNEL, fail, reporter, "building")
    assert not store.has(KERNEL)
    assert leftovers(store) == []


def test_failed_rebuild_keeps_what_was_there(store: Store, reporter: Reporter) -> None:
    place = store.ensure(KERNEL, write("first"), reporter, "building")

    def fail(_folder: Path, _runner: BuildRunner, _step: Step) -> None:
        raise RigError("no")

    with pytest.raises(RigError):
        store.ensure(KERNEL, fail, reporter, "building", rebuild=True)
    assert (place / "Image").read_text() == "first"


def build_slowly(root: Path, line: Connection) -> None:
    def build(folder: Path, _runner: BuildRunner, _step: Step) -> None:
        (folder / "Image").write_text("half")
        line.send("started")
        line.poll(PATIENCE)
        (folder / "Image").write_text("whole")

    Store(root).ensure(KERNEL, build, QuietReporter(), "building")


@dataclass(frozen=True)
class OtherBuild:
    """Another process in the middle of building the kernel."""

    process: BaseProcess
    line: Connection

    def let_go(self) -> None:
        self.line.send("go on")

    def kill(self) -> None:
        self.process.kill()
        self.process.join(PATIENCE)


@pytest.fixture
def other_build(store: Store) -> Iterator[OtherBuild]:
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=build_slowly, args=(store.root, theirs))
    process.start()
    theirs.close()
    assert ours.poll(PATIENCE)
    assert ours.recv() == "started"
    build = OtherBuild(process, ours)
    yield build
    build.kill()


class LetsGo:
    """A reporter that lets the other build finish once somebody says that it waits."""

    def __init__(self, other: OtherBuild) -> None:
        self._other = other
        self.titles: list[str] = []

    def step(self, title: str) -> AbstractContextManager[Step]:
        self.titles.append(title)
        self._other.let_go()
        return QuietReporter().step(title)

    def note(self, text: str) -> None:
        """Notes are not looked at."""


def test_second_build_waits_says_so_and_takes_the_result(store: Store, other_build: OtherBuild) -> None:
    waiting = LetsGo(other_build)
    place = store.ensure(KERNEL, never, waiting, "building")
    assert (place / "Image").read_text() == "whole"
    assert waiting.titles == ["waiting for another process building"]


def test_second_rebuild_takes_the_result_it_waited_for(store: Store, other_build: OtherBuild) -> None:
    place = store.ensure(KERNEL, never, LetsGo(other_build), "building", rebuild=True)
    assert (place / "Image").read_text() == "whole"


@pytest.mark.usefixtures("other_build")
def test_sweep_spares_the_living(store: Store) -> None:
    assert store.sweep() == []
    assert len(leftovers(store)) == 1


def test_sweep_removes_what_a_killed_build_left(store: Store, other_build: OtherBuild, reporter: Reporter) -> None:
    other_build.kill()
    assert not store.has(KERNEL)
    assert len(store.sweep()) == 1
    assert leftovers(store) == []
    assert (store.ensure(KERNEL, write("new"), reporter, "building") / "Image").read_text() == "new"


def test_sweep_removes_read_only_folders(store: Store) -> None:
    folder = store.root / "rootfs" / ".0123456789abcdef.00000000.unfinished"
    (folder / "root/locked").mkdir(parents=True)
    (folder / "root/locked/file").touch()
    (folder / "root/locked").chmod(0o500)
    assert store.sweep() == [folder]
    assert not folder.exists()


def test_cleaning_is_refused_during_a_build(store: Store) -> None:
    with store.occupied(), pytest.raises(RigError, match="in use by a build"), store.alone():
        pytest.fail("cleaned under a build")
    with store.alone():
        pass


def test_forgets_logs_and_locks_of_what_is_gone(store: Store, reporter: Reporter) -> None:
    store.ensure(KERNEL, write("first"), reporter, "building")
    store.forget()
    assert [path.name for path in store.root.glob("*/kernel-*")] != []
    store.remove(KERNEL)
    store.forget()
    assert [path.name for path in store.root.glob("*/kernel-*")] == []


def test_removes_whole_components(store: Store, reporter: Reporter) -> None:
    store.ensure(KERNEL, write("first"), reporter, "building")
    assert store.components("kernel") == [KERNEL]
    store.remove(KERNEL)
    assert store.components("kernel") == []
    assert leftovers(store) == []
