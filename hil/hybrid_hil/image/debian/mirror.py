"""Where Debian packages come from: the mirror this machine already uses, or the one it is told to use."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from hybrid_hil.failure import RigError

MIRROR_VARIABLE = "HYBRID_HIL_DEBIAN_MIRROR"
APT_FOLDER = Path("/etc/apt")

CODENAMES = ("bullseye", "bookworm", "trixie", "forky", "duke", "sid")
SCHEMES = ("http", "https", "file", "copy", "ftp")


@dataclass(frozen=True)
class Source:
    """One suite of one repository in apt's configuration."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""

    @property
    def codename(self) -> str:
        return re.split(r"[-/]", self.suite)[0]


@dataclass(frozen=True)
class Mirror:
    """A Debian archive and its security archive, as URIs without a trailing slash."""

    main: str
    security: str

    def lines(self, suite: str) -> list[str]:
        """apt's one-line sources for all of a release."""
        return [
            f"deb {self.main} {suite} main",
            f"deb {self.main} {suite}-updates main",
            f"deb {self.security} {suite}-security main",
        ]


def find_mirror(environment: Mapping[str, str] = os.environ, folder: Path = APT_FOLDER) -> Mirror | None:
    """HYBRID_HIL_DEBIAN_MIRROR (a URI, and after a space the security archive's), else the mirror in apt's
    configuration in `folder`, else None: mmdebstrap has one built in.

    Raises:
        RigError: the variable holds something else.
    """
    named = environment.get(MIRROR_VARIABLE, "").split()
    if not named:
        return choose(read_sources(folder))
    if len(named) > 2 or any(urlsplit(uri).scheme not in SCHEMES for uri in named):
        raise RigError(
            f"{MIRROR_VARIABLE} is `{' '.join(named)}`",
            "give the URI of a Debian archive, and after a space that of its security archive if it is not "
            "the same with -security at its end",
        )
    main = named[0].rstrip("/")
    return Mirror(main, named[1].rstrip("/") if len(named) == 2 else f"{main}-security")


def read_sources(folder: Path) -> list[Source]:
    """All enabled binary sources in `sources.list` and `sources.list.d` below `folder`."""
    found: list[Source] = []
    for path in (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))):
        if path.is_file() and path.suffix in (".list", ".sources"):
            text = path.read_text(encoding="utf-8", errors="replace")
            found += parse_deb822(text) if path.suffix == ".sources" else parse_list(text)
    return found


def parse_list(text: str) -> list[Source]:
    """sources.list(5), one-line style: `deb [ options ] uri suite component…`."""
    pattern = re.compile(r"^\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<rest>[^#]*)")
    found = []
    for line in text.splitlines():
        match = pattern.match(line)
        if match:
            signed = re.search(r"signed-by=(\S+)", match["options"] or "")
            found.append(
                Source(
                    match["uri"].rstrip("/"),
                    match["suite"],
                    tuple(match["rest"].split()),
                    signed[1] if signed else "",
                )
            )
    return found


def parse_deb822(text: str) -> list[Source]:
    """sources.list(5), deb822 style: stanzas of fields, continued by indentation."""
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    found = []
    for stanza in re.split(r"\n[ \t]*\n", kept):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in (
            "no",
            "false",
            "0",
        ):
            continue
        found += [
            Source(
                uri.rstrip("/"),
                suite,
                tuple(fields.get("components", "").split()),
                fields.get("signed-by", ""),
            )
            for uri in fields.get("uris", "").split()
            for suite in fields.get("suites", "").split()
        ]
    return found


def _fields(stanza: str) -> dict[str, str]:
    joined = re.sub(r"\n[ \t]+", " ", stanza)
    pairs = (line.split(":", 1) for line in joined.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, value in pairs}


def choose(sources: Iterable[Source]) -> Mirror | None:
    """The Debian archive among `sources`, whatever release this machine runs; repositories of others that
    borrow a release's name and `main` are told apart by what only Debian's own has."""
    debian = [
        source
        for source in sources
        if source.codename in CODENAMES and "main" in source.components and urlsplit(source.uri).scheme in SCHEMES
    ]
    archives = [source for source in debian if source.suite in CODENAMES and _credible(source, debian)]
    if not archives:
        return None
    security = [source.uri for source in debian if re.fullmatch(r"\w+(-security|/updates)", source.suite)]
    main = archives[0].uri
    return Mirror(main, security[0] if security else f"{main}-security")


def _credible(source: Source, debian: Iterable[Source]) -> bool:
    """Whether `source` is signed by Debian's keyring, or serves the release's -updates as well."""
    if "debian-archive" in source.signed_by:
        return True
    return any(other.uri == source.uri and other.suite == f"{source.suite}-updates" for other in debian)
