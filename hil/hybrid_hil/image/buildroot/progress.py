"""How far a Buildroot build is, told from what it prints."""

import re
from pathlib import Path

from hybrid_hil.terminal import Step

# support/misc: `>>> NAME VERSION WHAT`, in reverse video where there is a terminal type; a version may be empty.
MESSAGE = re.compile(r">>> (?P<package>[a-z0-9][\w.+-]*) (?P<version>\S*) (?P<what>[A-Z][^\x1b]*)")
# A package's last step is one of these.
LAST_STEPS = ("Installing to", "Installing images")


class BuildProgress:
    """Counts packages that are done against `total`; `done` are those of earlier builds in the same place."""

    def __init__(self, step: Step, total: int, done: set[str]) -> None:
        self._step = step
        self._total = total
        self._done = done

    def __call__(self, line: str) -> None:
        for match in MESSAGE.finditer(line):
            package, what = match["package"], match["what"].strip()
            self._step.detail(f"{package}: {what[0].lower()}{what[1:]}"[:70])
            if what.startswith(LAST_STEPS):
                self._done.add(package)
        self._step.advance(len(self._done), max(self._total, len(self._done)))


def packages_done(output: Path) -> set[str]:
    """The packages that builds in `output` have finished: their folders, NAME-VERSION, bear a stamp."""
    return {stamp.parent.name.rpartition("-")[0] for stamp in output.glob("build/*/.stamp_installed")}
