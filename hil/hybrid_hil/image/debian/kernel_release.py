"""The versions of Linux that a board can run, each from Debian's package of its source."""

from dataclasses import dataclass

from hybrid_hil.usage import choice_named

FOLDER = "buildroot/board/versal-virt"


@dataclass(frozen=True)
class KernelRelease:
    """`package` of Debian's `suite` has the source, or depends on the one that has it. `fragment` corrects the board's
    fragments where this version knows other symbols. `lacks` are the symbols of drivers that came later."""

    name: str
    suite: str
    package: str
    fragment: str = ""
    lacks: frozenset[str] = frozenset()


# The board's fragments are written for it.
DEFAULT = KernelRelease("6.12", "bookworm", "linux-source-6.12")
RELEASES = {
    release.name: release
    for release in (
        KernelRelease(
            "6.1",
            "bookworm",
            "linux-source-6.1",
            fragment=f"{FOLDER}/linux-6.1.fragment",
            lacks=frozenset({"XLNX_R5_REMOTEPROC"}),
        ),
        DEFAULT,
        KernelRelease("newest", "forky", "linux-source", fragment=f"{FOLDER}/linux-newest.fragment"),
    )
}


def release_named(name: str | None) -> KernelRelease:
    """The one of that name, the usual one for None. Raises RigError when there is none."""
    return choice_named(name, RELEASES, DEFAULT, "kernel")
