"""Engines that Debian has no package of, and the kubelet: their programs come out of a folder that the user names,
`crio=DIR`."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from hybrid_hil.failure import RigError
from hybrid_hil.image.fingerprint import Fingerprint

# By engine. These are all that is taken.
PROGRAMS = {"crio": ("crio", "pinns"), "kubernetes": ("kubelet",)}
MACHINE = "EM_AARCH64"
# Where an administrator's own programs are (file-hierarchy(7)).
FOLDER = "usr/local/bin"


@dataclass(frozen=True)
class GivenPrograms:
    """Of one engine, in `folder`."""

    engine: str
    folder: Path

    @property
    def paths(self) -> list[Path]:
        return [self.folder / name for name in PROGRAMS[self.engine]]

    def fingerprint(self, inputs: Fingerprint) -> None:
        for path in self.paths:
            inputs.file(f"{self.engine}/{path.name}", path)

    def put(self, root: Path) -> None:
        """Into the root file system."""
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        for path in self.paths:
            shutil.copyfile(path, root / FOLDER / path.name)
            (root / FOLDER / path.name).chmod(0o755)


def split_words(words: Iterable[str]) -> tuple[list[str], tuple[GivenPrograms, ...]]:
    """`NAME` and `NAME=DIR` as names of engines, and what is given for them.

    Raises:
        RigError: a folder is missing or unwanted, or lacks a program for the board.
    """
    names, given = [], []
    for word in words:
        name, equals, folder = word.partition("=")
        names.append(name)
        if equals:
            given.append(_checked(name, Path(folder).expanduser().absolute()))
        elif name in PROGRAMS:
            programs = " and ".join(PROGRAMS[name])
            raise RigError(f"Debian has no package of `{name}`", f"give {name}=DIR with {programs} in DIR", exit_code=2)
    return names, tuple(given)


def _checked(name: str, folder: Path) -> GivenPrograms:
    if name not in PROGRAMS:
        raise RigError(f"no programs are taken for `{name}`", f"they are for {', '.join(PROGRAMS)}", exit_code=2)
    given = GivenPrograms(name, folder)
    for path in given.paths:
        try:
            with path.open("rb") as source:
                machine = ELFFile(source)["e_machine"]
        except (OSError, ELFError) as error:
            raise RigError(f"`{path}` is no program: {error}", "build it for arm64 Linux", exit_code=2) from error
        if machine != MACHINE:
            raise RigError(f"`{path}` is for `{machine}`", "build it for arm64 Linux", exit_code=2)
    return given
