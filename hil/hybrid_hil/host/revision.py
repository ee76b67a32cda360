"""Which commit a checkout stands at, as `hybrid-runtime --version` shall say it on a board."""

import subprocess
from pathlib import Path

UNKNOWN = "unknown"
COMMIT = "COMMIT"


def revision(folder: Path) -> str:
    """The commit's hash, with `-dirty` when files of `folder` differ from it; `unknown` outside a git checkout.

    Sources out of a wheel have it in a file beside `folder`.
    """
    written = folder.parent / COMMIT
    if written.is_file():
        return written.read_text(encoding="ascii").strip()
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
