"""The page for all its readers: on a phone, by keyboard, in the dark, on paper, over many nights."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.report.record import Run
from tests.unit.hil.report_samples import nights, usual_run
from tests.unit.hil.report_visit import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

PHONE = 360
SCROLLED_S = 5.0
# each box, whether its content is wider than it, how far it scrolls, and how high its hint is
BOXES = """[...document.querySelectorAll('.wide')].map(box => {
    const wider = box.scrollWidth - box.clientWidth
    const hint = box.querySelector('.hint').getBoundingClientRect().height
    box.scrollLeft = 10000
    return [box.getAttribute('aria-label'), wider, box.scrollLeft, hint]
})"""
# the least contrast of any text with what is behind it, and which that is
LEAST_CONTRAST = """(() => {
    const linear = one => one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4
    const parts = colour => colour.match(/[\\d.]+/g).map(Number)
    const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255)
    const behind = element => {
        for (let one = element; one; one = one.parentElement) {
            const found = parts(getComputedStyle(one).backgroundColor)
            if (found.length === 3 || found[3] > 0) return found
        }
    }
    let least = [21, '']
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (walker.nextNode()) {
        const text = walker.currentNode, element = text.parentElement
        if (!text.data.trim() || element.closest('svg, style') || !element.checkVisibility()) continue
        const [one, other] = [parts(getComputedStyle(element).color), behind(element)].map(luminance).sort()
        const [dark, light] = [Math.min(one, other), Math.max(one, other)]
        const found = (light + 0.05) / (dark + 0.05)
        if (found < least[0]) least = [found, `${element.className}: ${text.data.trim()}`]
    }
    return least
})()"""


def shown_tests(page: "Page") -> list[str]:
    """The outcomes of the tests that a reader sees."""
    return page.locator("details.case > summary .outcome").locator("visible=true").all_inner_texts()


def test_on_a_phone_figures_and_tables_scroll_in_their_boxes_and_say_so(browser: "Browser", tmp_path: Path) -> None:
    found = visit(browser, tmp_path, [usual_run()], width=PHONE)
    assert found.sideways <= 0
    boxes = {label: (wider, scrolled, hint) for label, wider, scrolled, hint in found.page.evaluate(BOXES)}
    assert {"States of the cores", "Latency of the runtime", "Test files"} <= set(boxes)
    for label, (wider, scrolled, hint) in boxes.items():
        assert scrolled == pytest.approx(wider, abs=1), label
        assert (hint > 10) is (wider > 1), label
    assert boxes["States of the cores"][0] > 100
    assert found.sideways <= 0


def test_a_box_without_more_says_nothing(browser: "Browser", tmp_path: Path) -> None:
    boxes = visit(browser, tmp_path, [usual_run()]).page.evaluate(BOXES)
    assert [hint for _, _, _, hint in boxes] == [0] * len(boxes)


def test_a_box_scrolls_by_keyboard(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()], width=PHONE).page
    box = page.get_by_role("region", name="Latency of the runtime")
    box.focus()
    page.keyboard.press("ArrowRight")
    # Not by the page itself: its policy forbids a text to be evaluated there more than once.
    assert any(page.evaluate("document.activeElement.scrollLeft > 0") for _ in Deadline(SCROLLED_S).ticks(0.05))


def test_the_reason_is_the_first_text_of_a_failure(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()], width=PHONE).page
    inside = page.locator("details.case.is-bad .inside")
    assert inside.inner_text().splitlines()[0] == "AssertionError: assert 'running' == 'stopped'"
    box = inside.locator(".reason").bounding_box()
    summary = page.locator("details.case.is-bad > summary").bounding_box()
    assert box is not None
    assert summary is not None
    assert box["y"] - (summary["y"] + summary["height"]) < 20


@pytest.mark.parametrize(
    ("chosen", "left"), [("1 failed", ["failed"]), ("1 skipped", ["skipped"]), ("37 passed", ["passed"] * 37)]
)
def test_the_filter_leaves_what_was_asked_for(browser: "Browser", tmp_path: Path, chosen: str, left: list[str]) -> None:
    page = visit(browser, tmp_path, [usual_run()]).page
    assert len(shown_tests(page)) == 40
    page.get_by_role("radio", name=chosen).check()
    assert shown_tests(page) == left
    assert page.locator("details.file > summary").locator("visible=true").count() == len(
        {"passed": (1, 2, 3)}.get(left[0], (1,))
    )
    page.get_by_role("radio", name="all 40").check()
    assert len(shown_tests(page)) == 40


def test_the_filter_works_by_keyboard_and_in_its_own_run_only(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run(), usual_run()]).page
    page.get_by_role("radio", name="all 40").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_role("radio", name="1 failed").first.is_checked()
    assert len(shown_tests(page)) == 1 + 40


def test_a_link_to_a_test_that_is_filtered_out_shows_it(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()]).page
    page.get_by_role("radio", name="1 skipped").check()
    page.locator(".failures a").first.click()
    assert shown_tests(page) == ["failed", "skipped"]


def test_boots_are_bars_of_their_stages(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()], width=PHONE).page
    boots = page.locator(".boot")
    assert boots.count() == 3
    assert "firmware 0.5 s · kernel 2.1 s · init 0.7 s" in boots.first.inner_text()
    assert "failed after 6.5 s" in boots.last.inner_text()
    assert boots.last.locator(".broken").inner_text() == "kernel"
    edges = boots.first.locator(".track > span").evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(one => [one.left, one.right])"
    )
    assert [before[1] for before in edges[:-1]] == pytest.approx([after[0] for after in edges[1:]], abs=1)
    assert edges[-1][1] - edges[0][0] == pytest.approx(PHONE - 2 * edges[0][0], abs=2)


def test_over_several_nights_the_first_bad_one_and_what_is_flaky_are_marked(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, nights()[::-1]).page
    table = page.get_by_role("region", name="Run by test").first
    days = table.locator("thead th").all_inner_texts()
    assert days == ["test", "over time", "2026-05-28", "2026-05-29", "2026-05-30", "2026-05-31", "2026-06-01"]
    rows = {row.locator("th").inner_text()[-3:]: row for row in table.locator("tbody tr").all()}
    assert set(rows) == {"[1]", "[2]"}
    told = {test: (row.locator("td").first.inner_text(), _first_bad(row.locator("td"))) for test, row in rows.items()}
    assert told["[1]"] == ("bad since 2026-05-30", [3])
    assert told["[2]"] == ("flaky bad in 2 of 5, first in 2026-05-29", [2])


def _first_bad(cells: "Locator") -> list[int]:
    return [place for place, text in enumerate(cells.all_inner_texts()) if "first bad" in text]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("runs", [[usual_run()], nights()], ids=["one", "nights"])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: "Browser", tmp_path: Path, runs: list[Run], scheme: str
) -> None:
    page = visit(browser, tmp_path, runs, scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    contrast, where = page.evaluate(LEAST_CONTRAST)
    assert contrast >= 4.5, where


def test_what_can_be_chosen_or_reached_has_a_name(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()]).page
    nameless = page.evaluate(
        """[...document.querySelectorAll('[tabindex], [role=img], input, fieldset')].filter(one =>
            !one.getAttribute('aria-label') && !one.getAttribute('aria-labelledby') && !one.closest('label')
            && !one.querySelector('legend')).length"""
    )
    assert nameless == 0
    assert page.get_by_role("group", name="Show").get_by_role("radio").count() == 5


def test_on_paper_nothing_is_cut_off(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()], width=500).page
    page.emulate_media(media="print")
    assert (
        page.evaluate(
            "[...document.querySelectorAll('.wide, pre')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
        )
        == 0
    )
    assert not page.get_by_role("radio").first.is_visible()
