"""The Debian releases that a root file system can be made of."""

from dataclasses import dataclass

from hybrid_hil.usage import choice_named


@dataclass(frozen=True)
class DebianRelease:
    """`name` is what `--debian` takes. `python` is the release's interpreter: byte code is tied to its minor version
    (importlib.util.MAGIC_NUMBER). `docker_client` is the package that docker.io only recommends.
    `lacks` are engines, by their names, that it has no package of."""

    name: str
    suite: str
    python: str
    docker_client: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def library(self) -> str:
        """Python's library in a root file system."""
        return f"usr/lib/{self.python}"


# Its Compose is version 1, which is a program of its own.
DEFAULT = DebianRelease("12", "bookworm", "python3.11", lacks=("buildx", "compose", "oras"))
RELEASES = {
    release.name: release
    for release in (
        DEFAULT,
        DebianRelease("13", "trixie", "python3.13", docker_client=("docker-cli",)),
        # Its packages change from day to day: each image's manifest has their versions.
        DebianRelease("testing", "forky", "python3.14", docker_client=("docker-cli",)),
    )
}


def release_named(name: str | None) -> DebianRelease:
    """The one of that name, the usual one for None. Raises RigError when there is none."""
    return choice_named(name, RELEASES, DEFAULT, "Debian")
