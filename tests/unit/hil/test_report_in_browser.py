"""The page in a real browser: what it asks for, complains of, and shows."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hybrid_hil.report.record import Run
from tests.unit.hil.report_samples import hostile_run, nights, run, usual_run
from tests.unit.hil.report_visit import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WIDTHS = (1280, 400, 360)
RUNS = {"one": [usual_run()], "nights": nights(), "hostile": [hostile_run()], "empty": [run(())]}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("runs", RUNS.values(), ids=RUNS)
def test_no_page_fetches_complains_or_overflows(
    browser: "Browser", tmp_path: Path, runs: list[Run], width: int
) -> None:
    found = visit(browser, tmp_path, runs, width=width)
    assert found.complaints == []
    assert found.requests == [(tmp_path / "report.html").as_uri()]
    assert found.sideways <= 0
    found.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert found.sideways <= 0


def test_headings_and_figures_are_there(browser: "Browser", tmp_path: Path) -> None:
    found = visit(browser, tmp_path, [usual_run()])
    assert found.page.title() == "1 of 39 failed: hardware in the loop"
    assert found.headings() == [
        "Hardware in the loop",
        "Failures",
        "Test files",
        "Boots",
        "States of the cores",
        "Latency of the runtime",
        "Tests",
    ]
    for name in ("States of the cores over the run", "Latency of the runtime's verbs"):
        figure = found.page.get_by_role("img", name=name)
        box = figure.bounding_box()
        assert box is not None
        assert box["width"] > 400
        assert box["height"] > 60
    assert "10000.r5f" in (found.page.locator("figure svg").first.text_content() or "")
    assert found.page.locator("figure svg").last.locator("use").count() > 100


def test_what_failed_is_open_and_a_link_leads_to_it(browser: "Browser", tmp_path: Path) -> None:
    page = visit(browser, tmp_path, [usual_run()]).page
    assert page.locator("details.case[open]").count() == 1
    page.locator(".failures a").first.click()
    failed = page.locator("details.case[open]")
    assert failed.locator("pre").first.is_visible()
    box = failed.bounding_box()
    assert box is not None
    assert box["y"] < 900
    assert failed.get_by_role("link", name="folder").get_attribute("href") == "hil-artifacts/test_7/"


def test_dark_and_light_are_the_reader_s_choice(browser: "Browser", tmp_path: Path) -> None:
    colours = {}
    for scheme in ("light", "dark"):
        page = visit(browser, tmp_path, [usual_run()], scheme=scheme).page
        colours[scheme] = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " getComputedStyle(document.querySelector('figure svg text')).fill]"
        )
    assert colours["light"] == ["rgb(255, 255, 255)", "rgb(27, 31, 36)"]
    assert colours["dark"] == ["rgb(15, 19, 24)", "rgb(228, 232, 237)"]


def test_hostile_text_is_shown_and_does_nothing(browser: "Browser", tmp_path: Path) -> None:
    found = visit(browser, tmp_path, [hostile_run()])
    assert found.page.title() == "1 of 1 failed: hardware in the loop"
    assert "<script>document.title='taken'</script>" in found.page.locator("pre").first.inner_text()
    assert found.page.locator("script, img").count() == 0
