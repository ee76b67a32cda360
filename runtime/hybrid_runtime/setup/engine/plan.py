"""What registering with an engine changes: decided first, carried out afterwards."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from hybrid_runtime.system.durable_file import remove_file, write_durably
from hybrid_runtime.system.failure import failed
from hybrid_runtime.system.path import make_folders

_NEW_FILE_MODE = 0o644


@dataclass(frozen=True)
class ManualStep:
    """Lines for a person to write, or to take away: `place` is a file that is not rewritten, and `why` not."""

    place: str
    why: str
    lines: str = ""


@dataclass(frozen=True)
class Plan:
    """Contents by path, in the order of writing; then the files that go. Nothing of both: all is as it should be.

    `copies` has the paths that are to be as private as another file is now.
    """

    writes: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)
    removals: tuple[str, ...] = ()
    manual_step: ManualStep | None = None


def carry_out(plan: Plan) -> None:
    """A file keeps its owner and mode, and a link to it stays one. Raises Failure."""
    for path, text in plan.writes.items():
        _attempt(path, partial(_write, path, text, plan.copies.get(path, path)))
    for path in plan.removals:
        _attempt(path, partial(remove_file, path))


def _write(path: str, text: str, model: str) -> None:
    target = os.path.realpath(path)
    make_folders(os.path.dirname(target))
    if os.path.exists(model):
        write_durably(target, text.encode(), like=os.stat(model))
    else:
        write_durably(target, text.encode())
        os.chmod(target, _NEW_FILE_MODE)


def _attempt(path: str, act: Callable[[], None]) -> None:
    try:
        act()
    except OSError as error:
        raise failed(f"cannot change `{path}`", error, "move away what is in its place") from error
