"""What the tests of the image share: a store of its own for each."""

from pathlib import Path

import pytest

from hybrid_hil.image.store import Store
from hybrid_hil.terminal import QuietReporter, Reporter


@pytest.fixture
def reporter() -> Reporter:
    return QuietReporter()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")
