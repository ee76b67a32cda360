"""The tools of essential packages and of those that the project declares, as a folder of links: tests that run with it
as PATH fail on every machine for want of a tool that no list names, and not only on a fresh one.

It looks at Debian's database of packages, dpkg-query(1), deb-control(5) and update-alternatives(1).
"""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path


def _package() -> Path:
    """The folder of the rig: in this checkout, or of the installed one where xdist has brought the tests alone."""
    beside = Path(__file__).parents[1] / "hil/hybrid_hil"
    installed = None if beside.is_dir() else find_spec("hybrid_hil")
    return Path(installed.origin).parent if installed and installed.origin else beside


LISTS = _package() / "host"
HOST_LIST, TEST_LIST, BUILDROOT_LIST = (LISTS / f"{whose}-packages.txt" for whose in ("host", "test", "buildroot"))
# What a machine has on which the README's commands are typed: it was cloned with the one, and `rig` runs the other.
GIVEN = ("git", "python3")

FOLDERS = tuple(Path(folder) for folder in ("/usr/bin", "/usr/sbin", "/bin", "/sbin"))
ALTERNATIVES = Path("/var/lib/dpkg/alternatives")
_FIELDS = ("db:Status-Status", "Package", "Essential", "Priority", "Provides", "Pre-Depends", "Depends")
FORMAT = "\t".join(f"${{{field}}}" for field in _FIELDS) + "\n"


@dataclass(frozen=True)
class Package:
    """An installed package. Each of `depends` is a choice of names, one of which is enough."""

    name: str
    always: bool = False
    provides: tuple[str, ...] = ()
    depends: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Alternative:
    """A name in a folder of programs that several packages have a program for."""

    link: str
    program: str
    priority: int


class NoDatabaseError(Exception):
    """This machine has no dpkg: what a package brings is not known."""


def declared(lists: Iterable[Path]) -> set[str]:
    """The packages that `lists` name, in the form of host-packages.txt, and those that are there before `rig` is."""
    lines = [line.split() for path in lists for line in path.read_text(encoding="utf-8").splitlines()]
    return {*GIVEN, *(words[1] for words in lines if words and not words[0].startswith("#"))}


def link_tools(folder: Path, packages: Iterable[str]) -> int:
    """Fills `folder` with links to the tools of `packages`, and returns how many there are.

    Raises:
        NoDatabaseError: dpkg is not what installs packages here.
    """
    if shutil.which("dpkg-query") is None:
        raise NoDatabaseError
    installed = parse_packages(query("-W", "-f", FORMAT))
    files = set(query("-L", *sorted(closure(installed, packages))).splitlines())
    alternatives = [one for path in sorted(ALTERNATIVES.glob("*")) for one in parse_alternatives(path.read_text())]
    found = tools(files, alternatives)
    for name, program in found.items():
        (folder / name).symlink_to(program)
    return len(found)


def parse_packages(text: str) -> dict[str, Package]:
    """dpkg-query's lines of `FORMAT`, of the packages that are installed."""
    rows = [line.split("\t") for line in text.splitlines()]
    return {
        name: Package(
            name,
            always=essential == "yes" or priority == "required",
            provides=tuple(name for (name,) in _relations(provides)),
            depends=(*_relations(before), *_relations(depends)),
        )
        for status, name, essential, priority, provides, before, depends in rows
        if status == "installed"
    }


def closure(installed: Mapping[str, Package], packages: Iterable[str]) -> set[str]:
    """What is always there, those of `packages` that are installed, and what they depend on. Of a choice the first
    that is installed counts, as on a machine where apt chooses, unless another is needed anyway."""
    needed = {name for name, package in installed.items() if package.always} | (set(packages) & installed.keys())
    providers: dict[str, list[str]] = {}
    for package in installed.values():
        for name in (package.name, *package.provides):
            providers.setdefault(name, []).append(package.name)
    waiting = sorted(needed)
    while waiting:
        for choice in installed[waiting.pop()].depends:
            able = [name for wanted in choice for name in providers.get(wanted, ())]
            if able and needed.isdisjoint(able):
                needed.add(able[0])
                waiting.append(able[0])
    return needed


def parse_alternatives(text: str) -> Iterator[Alternative]:
    """One file below /var/lib/dpkg/alternatives: the master's and its slaves' links, then each choice of programs."""
    head, _, rest = text.partition("\n\n")
    links = head.splitlines()[1::2]
    lines = rest.rstrip("\n").split("\n") if rest.strip() else []
    size = len(links) + 1
    for begin in range(0, len(lines) - size + 1, size):
        master, priority, *slaves = lines[begin : begin + size]
        for link, program in zip(links, (master, *slaves), strict=True):
            yield Alternative(link, program, int(priority))


def tools(files: set[str], alternatives: Iterable[Alternative]) -> dict[str, Path]:
    """Each name of a program among `files`, and where it is; of alternatives the one that comes first among those
    that are there."""
    found = {path.name: path for path in map(Path, sorted(files)) if path.parent in FOLDERS and path.is_file()}
    for one in sorted(alternatives, key=lambda one: one.priority):
        link = Path(one.link)
        if link.parent in FOLDERS and one.program in files:
            found[link.name] = Path(one.program)
    return found


def _relations(text: str) -> tuple[tuple[str, ...], ...]:
    """`a (>= 1), b:any | c` as names: deb-control(5)."""
    choices = [re.findall(r"(?:^|\|)\s*([a-z0-9][a-z0-9+.-]*)", part) for part in text.split(",")]
    return tuple(tuple(choice) for choice in choices if choice)


def query(*words: str) -> str:
    """What dpkg-query prints."""
    return subprocess.run(["dpkg-query", *words], check=True, capture_output=True, text=True).stdout
