"""A page opened in a real browser."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid_hil.report.page import Saved, write_page
from hybrid_hil.report.record import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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
