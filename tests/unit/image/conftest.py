"""What the tests of the image share: a store of its own for each, and a reporter that remembers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hybrid_hil.image.store import Store


class Remembering:
    """A reporter that keeps the titles of its steps."""

    def __init__(self) -> None:
        self.titles: list[str] = []

    @contextmanager
    def step(self, title: str) -> Iterator["Remembering"]:
        self.titles.append(title)
        yield self

    def advance(self, done: float, total: float) -> None:
        """Movement is not remembered."""

    def detail(self, text: str) -> None:
        """Details are not remembered."""

    def note(self, text: str) -> None:
        self.titles.append(text)


@pytest.fixture
def reporter() -> Remembering:
    return Remembering()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")
