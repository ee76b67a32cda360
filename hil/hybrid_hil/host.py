"""What the rig needs from the machine it runs on; host-packages.txt is the one list of it, buildroot-packages.txt
that of what only the image made by Buildroot needs."""

import importlib.util
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGES_FILE = Path(__file__).with_name("host-packages.txt")
BUILDROOT_FILE = Path(__file__).with_name("buildroot-packages.txt")
MODULE_PREFIX = "python3:"

# Debian leaves these out of the PATH of everybody but root; mke2fs and debugfs are there.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


@dataclass(frozen=True)
class Need:
    """A command, a file (leading slash) or a Python module (`python3:` prefix), and the package with it."""

    thing: str
    package: str

    def met(self) -> bool:
        if self.thing.startswith("/"):
            return Path(self.thing).exists()
        if self.thing.startswith(MODULE_PREFIX):
            return importlib.util.find_spec(self.thing.removeprefix(MODULE_PREFIX)) is not None
        return find_program(self.thing) is not None


def parse_needs(text: str) -> list[Need]:
    """The lines of host-packages.txt: `THING PACKAGE`, blank lines and `#` comments aside."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Need(thing, package) for thing, package in rows]


@cache
def needs() -> tuple[Need, ...]:
    return tuple(parse_needs(PACKAGES_FILE.read_text(encoding="utf-8")))


@cache
def buildroot_needs() -> tuple[Need, ...]:
    return tuple(parse_needs(BUILDROOT_FILE.read_text(encoding="utf-8")))


def package_of(thing: str) -> str | None:
    """The package that brings `thing`, when the rig has asked for it."""
    return next((need.package for need in (*needs(), *buildroot_needs()) if need.thing == thing), None)


def find_program(name: str) -> str | None:
    """The path of `name`, looked for in PATH and then where only root looks."""
    return shutil.which(name) or shutil.which(name, path=":".join(SYSTEM_FOLDERS))
