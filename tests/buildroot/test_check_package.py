"""Buildroot's own style checker, on every file of the external tree that it knows how to check."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.buildroot.loaded import EXTERNAL

# Packages, configurations, scripts and init scripts; fewer lines mean that the checker has looked past something.
LINES_AT_LEAST = 300


def test_nothing_to_complain_about(tree: Path) -> None:
    files = sorted(str(path) for path in EXTERNAL.rglob("*") if path.is_file() and path.suffix != ".md")
    # It calls shellcheck, which tox puts beside the interpreter.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, str(tree / "utils/check-package"), "-b", *files]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    processed = re.search(r"^(\d+) lines processed$", done.stderr, re.MULTILINE)
    assert processed is not None, done.stderr
    assert int(processed[1]) > LINES_AT_LEAST
