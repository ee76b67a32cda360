"""A copy of a checkout as it is now, for runs that change files of it."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

# What names the checkout of the run around, or one of its workers.
FOREIGN = ("HYBRID_CHECKOUT", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_PLUGINS", "COVERAGE_PROCESS_START")
WORKERS = "PYTEST_XDIST_"


def copy_checkout(checkout: Path, target: Path) -> None:
    """All files that git does not ignore, with what is not committed yet. Links stay links.

    The copy is no checkout of git: it has no history, and its revision is unknown.
    """
    for name in _names(checkout):
        source, place = checkout / name, target / name
        if source.is_symlink() or source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, place, follow_symlinks=False)


def _names(checkout: Path) -> Iterable[str]:
    asked = ["git", "-C", str(checkout), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(asked, check=True, capture_output=True).stdout
    return sorted({os.fsdecode(name) for name in listed.split(b"\0") if name})


def environment_in(checkout: Path, *more: Path) -> dict[str, str]:
    """That of a pytest which tests `checkout` and nothing of ours; `more` are folders of modules for it."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN and not name.startswith(WORKERS)}
    folders = (checkout / "hil", checkout / "runtime", *more)
    return {**kept, "PYTHONPATH": os.pathsep.join(map(str, folders))}
