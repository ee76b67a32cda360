"""A component is published whole or not at all, once, and what died is swept."""

import errno
import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hybrid_hil.failure import RigError
from hybrid_hil.image.child import Workshop
from hybrid_hil.image.store import Component, Store
from hybrid_hil.terminal import QuietReporter, Reporter, Step

KERNEL = Component("kernel", "0123456789abcdef")
FORK = multiprocessing.get_context("fork")
PATIENCE = 30


def write(text: str) -> Any:
    def build(folder: Path, workshop: Workshop, step: Step) -> None:
        (folder / "Image").write_text(text)

    return build


def never(folder: Path, workshop: Workshop, step: Step) -> None:
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
    def fail(folder: Path, workshop: Workshop, step: Step) -> None:
        (folder / "Image").write_text("half")
        raise error

    with pytest.raises(type(error)):
        store.ensure(KERNEL, fail, reporter, "building")
    assert not store.has(KERNEL)
    assert leftovers(store) == []


def test_failed_rebuild_keeps_what_was_there(store: Store, reporter: Reporter) -> None:
    place = store.ensure(KERNEL, write("first"), reporter, "building")

    def fail(folder: Path, workshop: Workshop, step: Step) -> None:
        raise RigError("no")

    with pytest.raises(RigError):
        store.ensure(KERNEL, fail, reporter, "building", rebuild=True)
    assert (place / "Image").read_text() == "first"


def build_slowly(root: Path, started: Any, go_on: Any) -> None:
    def build(folder: Path, workshop: Workshop, step: Step) -> None:
        (folder / "Image").write_text("half")
        started.set()
        go_on.wait(PATIENCE)
        (folder / "Image").write_text("whole")

    Store(root).ensure(KERNEL, build, QuietReporter(), "building")


@pytest.fixture
def other_build(store: Store) -> Any:
    """Another process in the middle of building the kernel; gives (process, the event that lets it finish)."""
    started, go_on = FORK.Event(), FORK.Event()
    process = FORK.Process(target=build_slowly, args=(store.root, started, go_on))
    process.start()
    assert started.wait(PATIENCE)
    yield process, go_on
    go_on.set()
    process.join(PATIENCE)


class LetsGo:
    """A reporter that lets the other build finish once somebody says that it waits."""

    def __init__(self, go_on: Any, inner: Any) -> None:
        self._go_on = go_on
        self._inner = inner

    def step(self, title: str) -> Any:
        self._go_on.set()
        return self._inner.step(title)

    def note(self, text: str) -> None:
        self._inner.note(text)


def test_second_build_waits_says_so_and_takes_the_result(store: Store, other_build: Any, reporter: Any) -> None:
    _, go_on = other_build
    place = store.ensure(KERNEL, never, LetsGo(go_on, reporter), "building")
    assert (place / "Image").read_text() == "whole"
    assert reporter.titles == ["waiting for another build of the kernel"]


def test_second_rebuild_takes_the_result_it_waited_for(store: Store, other_build: Any, reporter: Any) -> None:
    _, go_on = other_build
    place = store.ensure(KERNEL, never, LetsGo(go_on, reporter), "building", rebuild=True)
    assert (place / "Image").read_text() == "whole"


def test_sweep_spares_the_living(store: Store, other_build: Any) -> None:
    assert store.sweep() == []
    assert len(leftovers(store)) == 1


def test_sweep_removes_what_a_killed_build_left(store: Store, other_build: Any, reporter: Reporter) -> None:
    process, _ = other_build
    os.kill(process.pid, signal.SIGKILL)
    process.join(PATIENCE)
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


def test_removes_whole_components(store: Store, reporter: Reporter) -> None:
    store.ensure(KERNEL, write("first"), reporter, "building")
    assert store.components("kernel") == [KERNEL]
    store.remove(KERNEL)
    assert store.components("kernel") == []
    assert leftovers(store) == []
