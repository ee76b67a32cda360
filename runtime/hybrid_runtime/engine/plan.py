"""What registering with an engine changes: decided first, carried out afterwards."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from hybrid_runtime.durable_file import remove_file, write_durably
from hybrid_runtime.failure import failed

_NEW_FILE_MODE = 0o644


@dataclass(frozen=True)
class Chore:
    """Lines for a person to write, or to take away: `place` is a file that is not rewritten, and `why` not."""

    place: str
    why: str
    lines: str = ""


@dataclass(frozen=True)
class Plan:
    """Contents by path, in the order of writing; then the files that go. Nothing of both: all is as it should be."""

    writes: dict[str, str] = field(default_factory=dict)
    removals: tuple[str, ...] = ()
    chore: Chore | None = None


def carry_out(plan: Plan) -> None:
    """A file keeps its mode, and a link to it stays one. Raises Failure."""
    for path, text in plan.writes.items():
        _attempt(path, partial(_write, path, text))
    for path in plan.removals:
        _attempt(path, partial(remove_file, path))


def _write(path: str, text: str) -> None:
    target = os.path.realpath(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    mode = os.stat(target).st_mode & 0o777 if os.path.exists(target) else _NEW_FILE_MODE
    write_durably(target, text.encode(), mode)
    os.chmod(target, mode)


def _attempt(path: str, act: Callable[[], None]) -> None:
    try:
        act()
    except OSError as error:
        raise failed(f"cannot change `{path}`", error, "move away what is in its place") from error
