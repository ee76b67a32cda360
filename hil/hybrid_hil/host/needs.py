"""What the rig needs from the machine it runs on; host-packages.txt is the one list of it, test-packages.txt that of
what only tests need, and buildroot-packages.txt of what only the image made by Buildroot does."""

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hybrid_hil.host.program import find_program

PACKAGES_FILE = Path(__file__).with_name("host-packages.txt")
TEST_FILE = Path(__file__).with_name("test-packages.txt")
BUILDROOT_FILE = Path(__file__).with_name("buildroot-packages.txt")
MODULE_PREFIX = "python3:"
OS_RELEASE = Path("/etc/os-release")


@dataclass(frozen=True)
class Need:
    """A command, a file (leading slash) or a Python module (`python3:` prefix), and the package with it. `only` is the
    one distribution that has the package, where not all do."""

    thing: str
    package: str
    only: str = ""

    def met(self) -> bool:
        if self.thing.startswith("/"):
            return Path(self.thing).exists()
        if self.thing.startswith(MODULE_PREFIX):
            return importlib.util.find_spec(self.thing.removeprefix(MODULE_PREFIX)) is not None
        return find_program(self.thing) is not None


def parse_needs(text: str) -> list[Need]:
    """The lines of host-packages.txt: `THING PACKAGE [DISTRIBUTION]`, blank lines and `#` comments aside."""
    rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [Need(*row) for row in rows]


def distribution(text: str) -> str:
    """The ID of os-release(5), such as `debian`."""
    fields = dict(line.partition("=")[::2] for line in text.splitlines())
    return fields.get("ID", "").strip("\"'")


@cache
def needs() -> tuple[Need, ...]:
    return tuple(parse_needs(PACKAGES_FILE.read_text(encoding="utf-8")))


@cache
def needs_of_tests() -> tuple[Need, ...]:
    """Without the packages of other distributions."""
    here = distribution(OS_RELEASE.read_text(encoding="utf-8")) if OS_RELEASE.exists() else ""
    return tuple(need for need in parse_needs(TEST_FILE.read_text(encoding="utf-8")) if need.only in ("", here))


@cache
def buildroot_needs() -> tuple[Need, ...]:
    return tuple(parse_needs(BUILDROOT_FILE.read_text(encoding="utf-8")))


def package_of(thing: str) -> str | None:
    """The package that brings `thing`, when the rig has asked for it."""
    return next(
        (need.package for need in (*needs(), *needs_of_tests(), *buildroot_needs()) if need.thing == thing), None
    )
