"""Which commit a checkout stands at, as `hybrid-runtime --version` shall say it on a board."""

import subprocess
from pathlib import Path

UNKNOWN = "unknown"


def revision(folder: Path) -> str:
    """The commit's hash, with `-dirty` when files of `folder` differ from it; `unknown` outside a git checkout."""
    head = _git(folder, "rev-parse", "HEAD")
    if head is None:
        return UNKNOWN
    return f"{head}-dirty" if _git(folder, "status", "--porcelain", "--", ".") else head


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
