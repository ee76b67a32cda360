"""One page about one run or several: everything in one file, readable without a network and without scripts."""

import os
import time
import urllib.parse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.console.record import printable
from hybrid_hil.report import plots, summary
from hybrid_hil.report.boots import Bar, bars
from hybrid_hil.report.cores import Stretch, stretches
from hybrid_hil.report.history import history
from hybrid_hil.report.latency import Latency, latencies
from hybrid_hil.report.nights import Past, pasts
from hybrid_hil.report.reason import gist, reason
from hybrid_hil.report.record import BAD, Case, Excerpt, Facts, Outcome, Run, replace

# Console lines shown of a test by how it ended, and altogether: what bounds the page. The rest is in the results.
LINES_OF_BAD = 200
LINES_OF_GOOD = 25
LINES_ALTOGETHER = 15_000
DETAIL_CHARACTERS = 20_000


@dataclass(frozen=True)
class Saved:
    """A run and the folder its results lie in, from where evidence is found."""

    run: Run
    folder: Path


@dataclass(frozen=True)
class Link:
    text: str
    href: str


@dataclass(frozen=True)
class CaseView:
    """A test as it is shown, its consoles cut to what fits."""

    case: Case
    anchor: str
    kind: str
    gist: str
    reason: str
    detail: str
    console: Excerpt
    core_console: Excerpt
    cores: dict[str, list[Stretch]]
    links: tuple[Link, ...]


@dataclass(frozen=True)
class RunView:
    """A run as it is shown."""

    run: Run
    label: str
    verdict: summary.Verdict
    spoken: str
    shares: tuple[tuple[Outcome, float], ...]
    facts: tuple[tuple[str, str], ...]
    rows: tuple[summary.FileRow, ...]
    latencies: tuple[Latency, ...]
    latency_plot: str
    history_plot: str
    boots: tuple[Bar, ...]
    kinds: tuple[tuple[str, str], ...]
    groups: dict[str, list[CaseView]]

    @property
    def bad(self) -> list[CaseView]:
        return [view for group in self.groups.values() for view in group if view.case.bad]


def write_page(saved: Sequence[Saved], path: Path) -> None:
    """Writes the page of these runs, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, page(saved, path.parent))


def page(saved: Sequence[Saved], folder: Path) -> str:
    """The page as text, its runs in order of time, with links that hold when it lies in `folder`."""
    import jinja2  # noqa: PLC0415  `hil --help` has no use for it

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hybrid_hil.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "printable": printable,
        "duration": summary.duration,
        "when": when,
        "brief": brief_name,
        "spoken": _states_spoken,
    }
    saved = sorted(saved, key=lambda one: one.run.began)
    runs = [one.run for one in saved]
    names = summary.labels(runs)
    views = [_run_view(one, names[index], f"run{index + 1}", folder) for index, one in enumerate(saved)]
    found = summary.counts(case for run in runs for case in run.cases)
    verdict = summary.worst(view.verdict for view in views)
    return environment.get_template("page.html.j2").render(
        views=views,
        verdict=verdict,
        spoken=summary.spoken(found),
        headline=summary.headline(verdict, found),
        matrix=summary.matrix(runs) if len(runs) > 1 else [],
        labels=names,
        pasts=_by_test(pasts(runs)),
        outcomes=tuple(Outcome),
    )


def when(seconds: float) -> str:
    """A time since the epoch, in UTC: pages travel."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))


def brief_name(test: str) -> str:
    """A test's id without its folders."""
    file, separator, name = test.partition("::")
    return f"{file.rpartition('/')[2]}{separator}{name}"


def kind(outcome: Outcome) -> str:
    """What a reader filters by: a failure is one, wherever in its test it was."""
    return "bad" if outcome in BAD else str(outcome)


def kinds(cases: Sequence[Case]) -> tuple[tuple[str, str], ...]:
    """The kinds of outcomes there are, the worst first, each with how many tests are of it."""
    grouped: dict[str, list[Case]] = {}
    for outcome in Outcome:
        grouped.setdefault(kind(outcome), []).extend(case for case in cases if case.outcome is outcome)
    return tuple((name, summary.spoken(summary.counts(found))) for name, found in grouped.items() if found)


def shown_lines(cases: Iterable[Case], altogether: int = LINES_ALTOGETHER) -> dict[str, int]:
    """How many lines of each console a test may show; those that failed are served first."""
    left = altogether
    shown: dict[str, int] = {}
    for case in sorted(cases, key=lambda case: not case.bad):
        longest = max(len(case.observed.console.lines), len(case.observed.core_console.lines))
        shown[case.test] = min(longest, LINES_OF_BAD if case.bad else LINES_OF_GOOD, left // 2)
        left -= 2 * shown[case.test]
    return shown


def last(excerpt: Excerpt, count: int) -> Excerpt:
    """The last so many lines of an excerpt."""
    cut = max(0, len(excerpt.lines) - count)
    return Excerpt(excerpt.lines[cut:], excerpt.omitted + cut)


def fact_rows(facts: Facts) -> tuple[tuple[str, str], ...]:
    """The facts that are known, each with its name."""
    load = f"{facts.load_before:.2f} before, {facts.load_after:.2f} after" if facts.cpus else ""
    rows = (
        ("Board", facts.board),
        ("Image", " ".join(filter(None, (facts.image_origin, facts.image_hash)))),
        ("Kernel", facts.kernel),
        ("Layout", facts.layout),
        ("QEMU", facts.qemu),
        ("Runtime", facts.runtime),
        ("Host", f"{facts.host}, {facts.cpus} CPUs" if facts.cpus else facts.host),
        ("Host load", load),
    )
    return tuple((name, value) for name, value in rows if value)


def evidence_links(evidence: str, results: Path, page_folder: Path) -> tuple[Link, ...]:
    """The folder of evidence and the files in it, as seen from the page; every character but names' is quoted, so that
    no path can become a scheme."""
    if not evidence:
        return ()
    folder = results / evidence
    files = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    base = urllib.parse.quote(Path(os.path.relpath(folder, page_folder)).as_posix())
    return (Link("folder", f"{base}/"), *(Link(name, f"{base}/{urllib.parse.quote(name)}") for name in files))


def _run_view(saved: Saved, label: str, name: str, folder: Path) -> RunView:
    run = saved.run
    found = summary.counts(run.cases)
    calls, states = latencies([run]), history(run)
    shown = shown_lines(run.cases)
    groups: dict[str, list[CaseView]] = {}
    for index, case in enumerate(run.cases):
        links = evidence_links(case.evidence, saved.folder, folder)
        groups.setdefault(case.file, []).append(_case_view(case, f"{name}-{index}", shown[case.test], links))
    return RunView(
        run=run,
        label=label,
        verdict=summary.verdict(run),
        spoken=summary.spoken(found),
        shares=tuple((outcome, 100 * found[outcome] / len(run.cases)) for outcome in Outcome if found[outcome]),
        facts=fact_rows(run.facts),
        rows=tuple(summary.by_file(run.cases)),
        latencies=tuple(calls),
        latency_plot=plots.latency_plot(calls, f"{name}-latency") if calls else "",
        history_plot=plots.history_plot(states, f"{name}-history") if states.rows else "",
        boots=tuple(bars(run.boots, run.began)),
        kinds=kinds(run.cases),
        groups=groups,
    )


def _case_view(case: Case, anchor: str, count: int, links: tuple[Link, ...]) -> CaseView:
    observed = case.observed
    return CaseView(
        case=case,
        anchor=anchor,
        kind=kind(case.outcome),
        gist=gist(case.detail),
        reason=reason(case.detail),
        detail="\n".join(printable(line) for line in case.detail[-DETAIL_CHARACTERS:].splitlines()),
        console=last(observed.console, count),
        core_console=last(observed.core_console, count),
        cores=stretches(observed.events, case.duration_s),
        links=links,
    )


def _by_test(found: Iterable[Past]) -> dict[str, list[Past]]:
    told: dict[str, list[Past]] = {}
    for past in found:
        told.setdefault(past.test, []).append(past)
    return told


def _states_spoken(found: Sequence[Stretch]) -> str:
    """A core's states in words, for who does not see the bar."""
    return ", ".join(f"{one.state} from {one.begin_s:.1f} to {one.end_s:.1f} s" for one in found)
