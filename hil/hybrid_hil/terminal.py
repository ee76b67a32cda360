"""The person's terminal: colours and movement on a tty only, plain lines elsewhere; NO_COLOR is respected."""

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from hybrid_hil.failure import RigError

# Off a terminal a table is for programs and logs, and breaks no name in two.
WIDE = 500
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class Step(Protocol):
    """A piece of work under way. `failed` may be set to say that it ended badly, without an exception."""

    failed: bool

    def advance(self, done: float, total: float) -> None:
        """Shows how far the work is; units are the caller's, only the ratio is shown."""

    def detail(self, text: str) -> None:
        """Shows what is being done right now; kept short, replaced by the next."""


class Reporter(Protocol):
    """Where work that takes longer than a moment says how it goes."""

    def step(self, title: str) -> AbstractContextManager[Step]:
        """Announces a piece of work, times it, and says when it is done or has failed."""

    def note(self, text: str) -> None:
        """A line that stays."""


class _Bar:
    """A step shown as a moving bar; indeterminate until the first `advance`."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._title = title
        self.failed = False
        self._task = progress.add_task(escape(title), total=None)

    def advance(self, done: float, total: float) -> None:
        self._progress.update(self._task, completed=done, total=total)

    def detail(self, text: str) -> None:
        self._progress.update(self._task, description=escape(f"{self._title}: {text}"))


class _Silent:
    """A step off a terminal: its beginning and its end are lines, its progress is not."""

    def __init__(self) -> None:
        self.failed = False

    def advance(self, done: float, total: float) -> None:
        """Plain output shows no movement."""

    def detail(self, text: str) -> None:
        """Plain output shows no movement."""


class TerminalReporter:
    """Reports on a rich console: a bar or spinner that vanishes into one line with the time taken."""

    def __init__(self, console: Console = err) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        begun = time.monotonic()
        failed = True
        try:
            with self._shown(title) as step:
                yield step
                failed = step.failed
        finally:
            mark = "[red]✗[/red]" if failed else "[green]✓[/green]"
            took = time.monotonic() - begun
            self._console.print(f"{mark} {escape(title)} [dim]{took:.1f} s[/dim]")

    def note(self, text: str) -> None:
        self._console.print(f"  {escape(text)}")

    @contextmanager
    def _shown(self, title: str) -> Iterator[Step]:
        if self._console.is_terminal:
            with self._progress() as progress:
                yield _Bar(progress, title)
        else:
            self._console.print(f"… {escape(title)}")
            yield _Silent()

    def _progress(self) -> Progress:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        return Progress(*columns, console=self._console, transient=True)


class QuietReporter:
    """Says nothing: for tests and for output that machines read."""

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:  # noqa: ARG002  the protocol's parameter
        yield _Silent()

    def note(self, text: str) -> None:
        """Nothing is said."""


def show_failure(error: RigError) -> None:
    """Prints an error and its remedy on stderr."""
    err.print(f"[bold red]error:[/bold red] {escape(error.message)}")
    if error.remedy:
        err.print(f"[bold]remedy:[/bold] {escape(error.remedy)}")


def is_interactive() -> bool:
    """Whether a person sits at both ends: they can be asked, and shown a raw console."""
    return sys.stdin.isatty() and sys.stdout.isatty()
