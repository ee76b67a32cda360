"""What the tests of the rig share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.image import Image
from tests.rig.sandbox import Sandbox
from tests.rig.stand import Stand


@pytest.fixture
def sandbox(image: Image) -> Iterator[Sandbox]:
    """A short path below /tmp: a unix socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rig-", dir="/tmp") as folder:
        fresh = Sandbox(Path(folder), image)
        yield fresh
        fresh.close()


@pytest.fixture(scope="module")
def stand(image: Image) -> Iterator[Stand]:
    """An emulated board that is reached as a real one, dark as yet."""
    with tempfile.TemporaryDirectory(prefix="stand-", dir="/tmp") as folder:
        fresh = Stand(image, Path(folder))
        yield fresh
        fresh.close()
