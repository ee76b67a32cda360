"""The systems that the README promises to work on, as mmdebstrap(1) makes them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.image.debian.mirror import Mirror, Source

# Only what the README takes for granted: the checkout came by the one, over the other.
PACKAGES = ("git", "ca-certificates")


@dataclass(frozen=True)
class Release:
    """A suite of an archive that `keyring` vouches for."""

    suite: str
    name: str
    components: str
    keyring: Path
    keyring_package: str

    @property
    def is_debian(self) -> bool:
        return self.keyring_package.startswith("debian")


def _debian(suite: str, name: str) -> Release:
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    return Release(suite, name, "main", keyring, "debian-archive-keyring")


def _ubuntu(suite: str, name: str) -> Release:
    keyring = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
    return Release(suite, name, "main universe", keyring, "ubuntu-keyring")


RELEASES = (_debian("bookworm", "Debian 12"), _debian("trixie", "Debian 13"), _ubuntu("noble", "Ubuntu 24.04"))


def source_lines(release: Release, debian: Mirror | None, sources: Iterable[Source]) -> list[str]:
    """apt's lines for `release`: of the mirror that this machine uses for Debian, or of the archive among its `sources`
    that has that suite of Ubuntu. Without one mmdebstrap knows where the suite comes from."""
    if release.is_debian:
        return debian.lines(release.suite) if debian else []
    archives = [source.uri for source in sources if source.suite == release.suite and "main" in source.components]
    if not archives:
        return []
    suites = (release.suite, f"{release.suite}-updates", f"{release.suite}-security")
    return [f"deb {archives[0]} {suite} {release.components}" for suite in suites]


def mmdebstrap_command(release: Release, tree: Path, apt_settings: Path, lines: list[str]) -> list[str | Path]:
    """A minimal system in `tree`, which reaches the archive as this machine does from then on."""
    return [
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f"--components={release.components.replace(' ', ',')}",
        f"--keyring={release.keyring}",
        f"--aptopt={apt_settings}",
        release.suite,
        tree,
        *lines,
    ]
