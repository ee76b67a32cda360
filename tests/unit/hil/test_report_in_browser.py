"""The page in a real browser: what it asks for, complains of, and shows."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from report_samples import hostile_run, run, usual_run

from hybrid_hil.report.page import Saved, write_page
from hybrid_hil.report.record import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WIDTHS = (1280, 400)
RUNS = {"one": [usual_run()], "two": [usual_run(), usual_run()], "hostile": [hostile_run()], "empty": [run(())]}
PICTURES_VARIABLE = "HYBRID_HIL_PICTURES"


@dataclass
class Visit:
    """An opened page, and what it asked for and complained of while it was opened."""

    page: "Page"
    requests: list[str]
    complaints: list[str]

    @property
    def sideways(self) -> int:
        """How many pixels of the page lie beyond the window's edge."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def headings(self) -> list[str]:
        return self.page.locator("h1, h2").all_inner_texts()


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is in PATH; Debian's package is chromium-headless-shell")
    # root has no sandbox in Chromium; the pages are our own
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


def visit(browser: "Browser", folder: Path, runs: list[Run], *, width: int = 1280, scheme: str = "light") -> Visit:
    target = folder / "report.html"
    write_page([Saved(one, folder) for one in runs], target)
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    found = Visit(opened, [], [])
    opened.on("request", lambda request: found.requests.append(request.url))
    opened.on("console", lambda message: found.complaints.append(message.text))
    opened.on("pageerror", lambda error: found.complaints.append(str(error)))
    opened.goto(target.as_uri())
    pictures = os.environ.get(PICTURES_VARIABLE)
    if pictures:
        opened.screenshot(path=Path(pictures, f"{folder.name}-{scheme}-{width}.png"), full_page=True)
    return found


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
