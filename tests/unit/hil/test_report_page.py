"""The page as text: what it holds, and what it keeps out."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hybrid_hil.report.finding import Finding, Level
from hybrid_hil.report.page import Saved, evidence_links, page, shown_lines, write_page
from hybrid_hil.report.reason import gist
from hybrid_hil.report.record import Case, Excerpt, Facts, Observed, Outcome, Run, Said
from tests.unit.hil.report_samples import BEGAN, HOSTILE, case, hostile_run, run, usual_run

# what makes a browser fetch or run something
ACTIVE = {"script", "iframe", "object", "embed", "img", "video", "audio", "form", "base"}
HERE = Path("/nowhere")


class Reader(HTMLParser):
    """Notes a page's elements, attributes and text, as a browser would see them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def values(self, *names: str) -> list[str]:
        return [value for name, value in self.attributes if name in names]


def shown(*runs: Run) -> Reader:
    return Reader(page([Saved(one, HERE) for one in runs], HERE))


def test_a_page_says_what_a_reader_looks_for() -> None:
    text = shown(usual_run()).text
    for part in (
        "1 of 39 failed",
        "c9123f415934566e",
        "0.1.0 commit fa703a2",
        "test_lifecycle.py::test_a_life_of_its_own[7]",
        "assert 'running' == 'stopped'",
        "qemu-system-aarch64 -machine xlnx-versal-virt",
        "crash detected in 10000.r5f: type fatal error",
        "needs 3 processors",
        "nonce=52bf610284c1e298",
    ):
        assert part in text


def test_a_page_needs_nothing_but_itself() -> None:
    reader = shown(usual_run(), usual_run())
    assert not ACTIVE & set(reader.tags)
    links = reader.values("href", "src", "xlink:href")
    assert links
    assert all(link.startswith(("#", "data:,", "hil-artifacts/")) for link in links)
    assert not [name for name, _ in reader.attributes if name.startswith("on")]


def test_ids_are_unique_and_inner_links_lead_somewhere() -> None:
    reader = shown(usual_run(), usual_run())
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in reader.values("href", "xlink:href") if link.startswith("#")} <= set(ids)
    assert set(reader.values("aria-labelledby")) <= set(ids)


def test_what_a_board_says_is_text_and_never_more() -> None:
    source = page([Saved(hostile_run(), HERE)], HERE)
    reader = Reader(source)
    assert not ACTIVE & set(reader.tags)
    assert "<script>document.title='taken'</script>" in reader.text
    assert "{{ 7 * 7 }}" in reader.text
    assert "\\x1b[2J\\x00\\x07\\xd800\\x202e" in reader.text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\ud800-\udfff]", source)
    assert not [link for link in reader.values("href") if link.lower().startswith("javascript:")]
    source.encode()


def test_an_empty_run_proves_nothing_and_says_so() -> None:
    reader = shown(run((), exit_code=5))
    assert "Nothing proven" in reader.text
    assert "svg" not in reader.tags


def test_findings_come_with_their_remedies() -> None:
    found = replace(usual_run(), findings=(Finding(Level.WARNING, "no output", "logs stay empty", "add a trace"),))
    text = shown(found).text
    for said in ("Findings", "warning", "no output", "logs stay empty", "add a trace"):
        assert said in text
    assert "Findings" not in shown(usual_run()).text


def test_a_run_that_was_interrupted_says_so() -> None:
    reader = shown(run((case(0),), exit_code=2))
    assert "Ended early" in reader.text
    assert "pytest's exit code was 2" in reader.text


def test_a_board_without_image_and_layout_has_no_such_rows() -> None:
    reader = shown(replace(run((case(0),)), facts=Facts(board="gateway", kernel="6.6.52")))
    assert "gateway" in reader.text
    assert "6.6.52" in reader.text
    assert "Image" not in reader.text
    assert "QEMU" not in reader.text


def test_two_runs_have_a_matrix_of_run_and_test() -> None:
    first = usual_run()
    second = replace(first, facts=replace(first.facts, layout="one-core"), cases=first.cases[:20])
    text = shown(first, second).text
    assert "Failed somewhere, or not the same everywhere" in text
    assert "one-core: failed" in re.sub(r"\s+", " ", text)


def test_a_huge_run_is_a_page_of_bounded_size(tmp_path: Path) -> None:
    lines = Excerpt(tuple(Said(n / 10, f"line {n} " + "x" * 70) for n in range(200)))
    seen = Observed(lines, lines)
    cases = tuple(
        Case(f"t{n % 40}.py::test[{n}]", Outcome.FAILED if n % 9 == 0 else Outcome.PASSED, BEGAN + n, 1, observed=seen)
        for n in range(3000)
    )
    target = tmp_path / "huge.html"
    write_page([Saved(run(cases), tmp_path)], target)
    assert target.stat().st_size < 8_000_000
    text = target.read_text()
    assert text.count('<details class="case ') == 3000
    assert "this page has no room for them" in text


def test_what_failed_is_served_first_with_lines() -> None:
    lines = Excerpt(tuple(Said(n, "x") for n in range(100)))
    cases = [replace(case(n), observed=Observed(lines, lines)) for n in range(10)]
    cases[8] = replace(cases[8], outcome=Outcome.FAILED)
    found = shown_lines(cases, altogether=260)
    assert found[cases[8].test] == 100
    assert found[cases[0].test] == 25
    assert sum(found.values()) * 2 <= 260


@pytest.mark.parametrize(
    ("detail", "line"),
    [
        ("def t():\n>   x\nE   AssertionError: no\nE   more\nfile:1", "AssertionError: no"),
        ("first\n\nlast words\n", "first"),
        ("Traceback (most recent call last):\n  File\nOSError: no", "OSError: no"),
        ("E\x1b[2J", "E\\x1b[2J"),
        ("", ""),
    ],
)
def test_the_gist_is_the_line_that_says_most(detail: str, line: str) -> None:
    assert gist(detail) == line


def test_evidence_is_linked_as_seen_from_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "hil-artifacts" / "test #1"
    folder.mkdir(parents=True)
    (folder / "dmesg.txt").touch()
    (folder / "a?b.txt").touch()
    links = evidence_links("hil-artifacts/test #1", tmp_path / "results", tmp_path / "pages")
    base = "../results/hil-artifacts/test%20%231"
    assert [(link.text, link.href) for link in links] == [
        ("folder", f"{base}/"),
        ("a?b.txt", f"{base}/a%3Fb.txt"),
        ("dmesg.txt", f"{base}/dmesg.txt"),
    ]
    assert evidence_links("", tmp_path, tmp_path) == ()


def test_a_page_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "made" / "page.html"
    write_page([Saved(run((case(0),)), tmp_path)], target)
    write_page([Saved(usual_run(), tmp_path)], target)
    assert "1 of 39 failed" in target.read_text()
    assert list(target.parent.iterdir()) == [target]


def test_hostile_text_is_the_sample_s() -> None:
    """The sample has what the tests above say is kept out."""
    assert {"\x1b", "\0", "\ud800", "\u202e", "<"} <= set(HOSTILE)
