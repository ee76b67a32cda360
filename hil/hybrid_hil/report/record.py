"""What is kept of a run: plain values that survive as JSON, so that a page can be made of them at any time."""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from hybrid_hil.failure import RigError
from hybrid_hil.report.finding import Finding

# Raised when an older `hil report` would misread what is written.
FORMAT = 1


class Outcome(StrEnum):
    """How a test ended. Only the first two say that something is wrong."""

    FAILED = "failed"
    ERROR = "error"
    XPASSED = "xpassed"
    XFAILED = "xfailed"
    SKIPPED = "skipped"
    PASSED = "passed"


BAD = frozenset({Outcome.FAILED, Outcome.ERROR})


@dataclass(frozen=True)
class Said:
    """One line of a console, `at_s` seconds after its test began."""

    at_s: float
    text: str


@dataclass(frozen=True)
class Excerpt:
    """The last lines of a console, and how many came before them."""

    lines: tuple[Said, ...] = ()
    omitted: int = 0


@dataclass(frozen=True)
class CoreEvent:
    """What the kernel said of a core, `at_s` seconds after the test began."""

    at_s: float
    core: str
    text: str


@dataclass(frozen=True)
class VerbCall:
    """One command of the runtime, as long as it took over SSH."""

    verb: str
    at_s: float
    duration_s: float
    exit_status: int


@dataclass(frozen=True)
class Observed:
    """What a test's board did meanwhile. `unread` says why the kernel's log could not be read, if so."""

    console: Excerpt = Excerpt()
    core_console: Excerpt = Excerpt()
    events: tuple[CoreEvent, ...] = ()
    calls: tuple[VerbCall, ...] = ()
    unread: str = ""


@dataclass(frozen=True)
class Case:
    """One test. `began` is seconds since the epoch, `detail` the failure's text or the reason of a skip, `evidence` a
    folder relative to the results' own, `by_hand` what to type to get at the same board."""

    test: str
    outcome: Outcome
    began: float
    duration_s: float
    worker: str = "main"
    detail: str = ""
    evidence: str = ""
    by_hand: str = ""
    observed: Observed = Observed()

    @property
    def file(self) -> str:
        return self.test.partition("::")[0]

    @property
    def name(self) -> str:
        return self.test.partition("::")[2] or self.test

    @property
    def bad(self) -> bool:
        return self.outcome in BAD


@dataclass(frozen=True)
class Facts:
    """What a result depends on beside the tests; empty where a board has no such thing."""

    board: str = ""
    image_hash: str = ""
    image_origin: str = ""
    kernel: str = ""
    layout: str = ""
    qemu: str = ""
    runtime: str = ""
    host: str = ""
    cpus: int = 0
    load_before: float = 0.0
    load_after: float = 0.0


@dataclass(frozen=True)
class StageTime:
    """A stage of a boot, and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True)
class Boot:
    """A board that was powered on or restored, stage by stage. `began` is seconds since the epoch; the last stage is
    where it failed, if it did."""

    began: float
    stages: tuple[StageTime, ...]
    failed: bool = False
    worker: str = "main"

    @property
    def seconds(self) -> float:
        return sum(stage.seconds for stage in self.stages)


@dataclass(frozen=True)
class Run:
    """One run of the tests. `exit_code` is pytest's; `findings` are what a bring-up has found besides."""

    began: float
    duration_s: float
    exit_code: int
    facts: Facts = Facts()
    cases: tuple[Case, ...] = ()
    findings: tuple[Finding, ...] = ()
    boots: tuple[Boot, ...] = ()
    format: int = FORMAT


Structure = TypeVar("Structure")


def structured(data: object, kind: type[Structure]) -> Structure:
    """The dataclass in plain values.

    Raises:
        RigError: they do not fit it.
    """
    import cattrs  # noqa: PLC0415  `hil --help` has no use for it

    try:
        return cattrs.structure(data, kind)
    except cattrs.BaseValidationError as error:
        raise RigError("; ".join(cattrs.transform_error(error))) from error


def write_run(run: Run, path: Path) -> None:
    """Writes a run's results whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, json.dumps(asdict(run)))


def replace(path: Path, text: str) -> None:
    """Gives a file a new content; who reads it meanwhile sees the old one, as do all when it fails."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(path)
    except BaseException:
        with suppress(OSError):
            fresh.unlink()
        raise


def read_run(path: Path) -> Run:
    """The run in a file that `write_run` wrote.

    Raises:
        RigError: it cannot be read, or was written by another version.
    """
    remedy = "give the JSON file that `pytest --hil-report PAGE.html` writes beside its page"
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise RigError(f"`{path}` cannot be read: {error.strerror}", remedy) from error
    except ValueError as error:
        raise RigError(f"`{path}` is no JSON: {error}", remedy) from error
    found = data.get("format") if isinstance(data, dict) else None
    if found is None:
        raise RigError(f"`{path}` holds no results of tests", remedy)
    if found != FORMAT:
        raise RigError(f"`{path}` has the format `{found}`, this hil reads {FORMAT}", remedy)
    try:
        return structured(data, Run)
    except RigError as error:
        raise RigError(f"`{path}` is damaged: {error.message}", remedy) from error
