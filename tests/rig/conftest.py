"""What the tests of the rig share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox import Sandbox

from hybrid_hil.image import Image


@pytest.fixture
def sandbox(image: Image) -> Iterator[Sandbox]:
    """A short path below /tmp: a unix socket's may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="rig-", dir="/tmp") as folder:
        fresh = Sandbox(Path(folder), image)
        yield fresh
        fresh.close()
