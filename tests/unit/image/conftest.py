"""What the tests of the image share: a store of its own for each, and sources that stand for Buildroot's."""

from functools import partial
from pathlib import Path

import pytest

from hybrid_hil.host import program
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import QuietReporter, Reporter
from tests.unit.image.buildroot_double import TreeMaker, write_double


@pytest.fixture(autouse=True)
def no_other_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs are looked for in PATH alone, which has only those that are declared."""
    monkeypatch.setattr(program, "SYSTEM_FOLDERS", ())


@pytest.fixture
def reporter() -> Reporter:
    return QuietReporter()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def make_tree(tmp_path: Path) -> TreeMaker:
    return partial(write_double, tmp_path / "tree")
