"""How far a Buildroot build is, told from what it prints."""

import re

from hybrid_hil.terminal import Step

# The macro MESSAGE of Buildroot's Makefiles: `>>> NAME VERSION WHAT`, in reverse video; a version may be empty.
MESSAGE = re.compile(r">>> (?P<package>[a-z0-9][\w.+-]*) (?P<version>\S*) (?P<what>[A-Z][^\x1b]*)")
# A package's last steps are called `Installing to …`.
LAST_STEP = "Installing to "


class BuildProgress:
    """Counts which of `packages` are done; `done` are those of earlier builds in the same place."""

    def __init__(self, step: Step, packages: set[str], done: set[str]) -> None:
        self._step = step
        self._packages = packages
        self._done = done & packages

    def __call__(self, line: str) -> None:
        for match in MESSAGE.finditer(line):
            package, what = match["package"], match["what"].strip()
            self._step.detail(f"{package}: {what[0].lower()}{what[1:]}"[:70])
            if what.startswith(LAST_STEP) and package in self._packages:
                self._done.add(package)
        self._step.advance(len(self._done), len(self._packages))
