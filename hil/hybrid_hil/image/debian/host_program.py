"""A program of a Debian release on this machine: unpacked into the cache, and run there by its own loader."""

import platform
import shlex
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.packages import extract_packages, merge_usr
from hybrid_hil.image.store import remove_tree

TREE = "tree"
LEFT_OUT = ("dev", "usr/share/doc", "usr/share/locale", "usr/share/man", "var")

# Where uname(2) has another word.
ARCHITECTURES = {
    "aarch64": "arm64",
    "armv7l": "armhf",
    "i686": "i386",
    "loongarch64": "loong64",
    "ppc64le": "ppc64el",
    "x86_64": "amd64",
}

# The host's loader, C library and modules are of another release: none of them may slip in.
SCRIPT = """\
#!/bin/sh
# {package} of Debian {suite}, with its own dynamic loader, libraries, modules and data.
here=$(dirname -- "$(readlink -f -- "$0")")/{tree}
exec "$here"/{loader} --library-path "$here"/{libraries} "$here"/usr/bin/{program} "$@"
"""


@dataclass(frozen=True)
class HostProgram:
    """`program` of the `package` that Debian `suite` has for this machine's processor."""

    suite: str
    package: str
    program: str

    def fetch(self, folder: Path, runner: BuildRunner) -> dict[str, str]:
        """Puts the unpacked packages, and a launcher called like the program, into `folder`; returns versions by
        package."""
        tree = folder / TREE
        versions = extract_packages(runner, [self.package], host_architecture(), tree, self.suite)
        tree.with_name(f"{TREE}.apt.conf").unlink()
        merge_usr(tree)
        for name in LEFT_OUT:
            remove_tree(tree / name)
        launcher = folder / self.program
        launcher.write_text(self.script(loader_of(tree).relative_to(tree)), encoding="ascii")
        launcher.chmod(0o755)
        return versions

    def script(self, loader: Path) -> str:
        """Runs the program of the tree beside it by `loader`, a path in there, wherever both are moved together."""
        return SCRIPT.format(
            package=self.package,
            suite=self.suite,
            tree=TREE,
            program=self.program,
            loader=shlex.quote(str(loader)),
            libraries=shlex.quote(str(loader.parent)),
        )


def loader_of(tree: Path) -> Path:
    """Its dynamic loader. Raises RigError when it has none, or more than one."""
    loaders = sorted(tree.glob("usr/lib/*/ld-linux*.so.*"))
    if len(loaders) != 1:
        raise RigError(f"`{tree}` has {len(loaders)} dynamic loaders", "fetch it again with --rebuild")
    return loaders[0]


def host_architecture() -> str:
    """What Debian calls this machine's processor. Asked without Debian's programs: an image of the cache needs none."""
    machine = platform.machine()
    return ARCHITECTURES.get(machine, machine)
