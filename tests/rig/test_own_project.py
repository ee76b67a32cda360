"""A project of one's own, by the words of docs/rig.md: from a wheel to a green test, without a checkout."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import CHECKOUT_VARIABLE, checkout_root
from hybrid_hil.image import Image
from hybrid_hil.image.store import Store

PAGE = "docs/rig.md"
HEADING = "## A project of your own\n"
IMAGES = "image"


def commands(page: str) -> list[str]:
    """Those of the second block below the heading: the first is typed in a checkout."""
    section = page.partition(HEADING)[2].partition("\n## ")[0]
    blocks = [block for block in section.split("\n\n") if block.startswith("    ")]
    return [line.strip() for line in blocks[1].splitlines()]


@pytest.mark.nightly
def test_from_a_wheel_to_a_green_test(image: Image, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(checkout_root() / "examples/project", project, ignore=shutil.ignore_patterns("*.elf"))
    build: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--wheel-dir",
        project,
        checkout_root(),
    ]
    subprocess.run(build, check=True)
    before = Store().components(IMAGES)
    assert image.folder.name in [component.digest for component in before]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    environment.pop(CHECKOUT_VARIABLE, None)
    typed = commands((checkout_root() / PAGE).read_text(encoding="utf-8"))
    assert typed[-1].startswith(".venv/bin/pytest ")
    for line in typed:
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"`{line}`: {done.stdout}"
    assert "1 passed" in done.stdout
    # The sources in the wheel are those of the checkout, so its image serves.
    assert set(Store().components(IMAGES)) == set(before)
    refused = subprocess.run(
        [".venv/bin/hil", "test"], cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "has no tests: this needs a checkout" in refused.stderr
