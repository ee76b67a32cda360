"""The release of Kubernetes that this project pins: downloaded once, checked, and kept in the cache."""

import platform
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.pinned_archive import PinnedArchive
from hybrid_hil.image.store import Component, Store
from hybrid_hil.terminal import Reporter, Step
from tests.kubernetes.binaries import ARCHITECTURES, CONTROL_PLANE

VERSION = "1.36.0"
SITE = "https://dl.k8s.io"
OTHERWISE = "give the folder of another release: `--binaries DIR`"
BOARDS = "arm64"


@dataclass(frozen=True)
class Part:
    """One archive of the release for one architecture, and the programs that are taken from it."""

    name: str
    architecture: str
    sha512: str
    programs: tuple[str, ...]

    @property
    def archive(self) -> str:
        return f"kubernetes-{self.name}-linux-{self.architecture}.tar.gz"


# As CHANGELOG-1.36.md of Kubernetes lists them.
CONTROL_PLANES = {
    "amd64": "1c64da92575451c2c7ff97c79b772e603995f8e76da1371a6b0746aaa27b65dc"
    "e81c4d734cbb50f40e71486a8e08df36f14e12974f97d4d29e41f23a172a6a25",
    "arm64": "7f95e451baedd9368a2fa637afa84c9ed1b958736540ca27a379e5e292e1a10c"
    "5d9a29539f833047574bf5d3b6f907f32dee5735acecc11aa4686f078108dcf8",
}
NODE = Part(
    "node",
    BOARDS,
    "10a4c3660e6e19fae998b04345dbe42711e61745bf374405c33e8604335b12ff"
    "55ce7b68f8a0d67d1f7ce4519f706fbd8d80781b7128369fe047c38915e8d189",
    ("kubelet",),
)


def parts(machine: str = platform.machine()) -> list[Part]:
    """What a machine of that kind needs, with boards as its nodes."""
    architecture = ARCHITECTURES[machine]
    return [Part("server", architecture, CONTROL_PLANES[architecture], CONTROL_PLANE), NODE]


class ReleaseRecipe:
    """A folder as `--binaries` takes it."""

    def __init__(self, wanted: list[Part], site: str = SITE) -> None:
        self._wanted = wanted
        self._site = site

    def build(self, folder: Path, runner: BuildRunner, step: Step) -> None:
        """Raises RigError."""
        for part in self._wanted:
            uri = f"{self._site}/v{VERSION}/{part.archive}"
            archive = PinnedArchive(uri, part.sha512, "sha512", OTHERWISE).fetch(folder, step)
            step.detail("unpacking")
            target = folder / part.architecture
            target.mkdir(exist_ok=True)
            members = [f"kubernetes/{part.name}/bin/{program}" for program in part.programs]
            runner.run(["tar", "-xf", archive, "-C", target, "--strip-components=3", *members])
            archive.unlink()


def downloaded(store: Store, reporter: Reporter, wanted: list[Part], site: str = SITE) -> Path:
    """The folder with its programs. Raises RigError when they cannot be had."""
    inputs = Fingerprint()
    for part in wanted:
        inputs.text("part", VERSION, part.archive, part.sha512, *part.programs)
    component = Component("release", inputs.digest())
    return store.ensure(component, ReleaseRecipe(wanted, site).build, reporter, f"fetching Kubernetes {VERSION}")
