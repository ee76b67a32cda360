"""The commit that a deployed runtime names."""

import re
import subprocess
from pathlib import Path

from hybrid_hil.host.revision import UNKNOWN, revision


def git(folder: Path, *words: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True)


def test_a_checkout_gives_its_commit_and_says_when_files_differ(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", "file")
    git(tmp_path, "commit", "-m", "one")
    clean = revision(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", clean)
    (tmp_path / "file").write_text("two")
    assert revision(tmp_path) == f"{clean}-dirty"


def test_elsewhere_it_is_unknown(tmp_path: Path) -> None:
    assert revision(tmp_path) == UNKNOWN


def test_sources_of_a_wheel_have_it_beside_them(tmp_path: Path) -> None:
    """They may lie inside of somebody else's checkout, whose commit is another."""
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "theirs")
    (tmp_path / "COMMIT").write_text("0123456789abcdef\n")
    (tmp_path / "runtime").mkdir()
    assert revision(tmp_path / "runtime") == "0123456789abcdef"
