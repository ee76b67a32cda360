"""A defconfig of the external tree, loaded by a real Buildroot."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.host.checkout import checkout_root

EXTERNAL = checkout_root() / "buildroot"


@dataclass(frozen=True)
class Loaded:
    """Buildroot's answer to a defconfig; further goals of its Makefile can be asked for."""

    tree: Path
    output: Path
    wanted: str

    @property
    def configuration(self) -> str:
        return (self.output / ".config").read_text()

    def make(self, *goals: str) -> str:
        """What the Makefile prints. Raises CalledProcessError."""
        return make(self.tree, self.output, *goals)


def load(tree: Path, defconfig: str, output: Path) -> Loaded:
    make(tree, output, defconfig)
    return Loaded(tree, output, (EXTERNAL / "configs" / defconfig).read_text())


def make(tree: Path, output: Path, *goals: str, **environment: str) -> str:
    where = ["-C", str(tree), f"BR2_EXTERNAL={EXTERNAL}", f"O={output}"]
    command = ["make", "-s", "--no-print-directory", *where, *goals]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment})
    return done.stdout
