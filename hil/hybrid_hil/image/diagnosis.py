"""What to do about a build that failed, told from how it failed."""

import errno
import re
from collections.abc import Sequence
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.host import package_of

COMMAND_NOT_FOUND = 127

FREE_SPACE = "free some space (`hil image clean` removes old images), or set XDG_CACHE_HOME to a larger disk"

# What the tools print, in English, and what helps; the first that matches is told.
COMMON_SIGNS = (
    (r"no space left on device", FREE_SPACE),
    (r"out of memory|cannot allocate memory", "give this machine more memory, or fewer `--jobs`"),
)
SIGNS = (
    *COMMON_SIGNS,
    (
        r"could not resolve|temporary failure resolving|could not connect|connection (timed out|refused)"
        r"|failed to fetch|unable to fetch|network is unreachable",
        "the Debian mirror cannot be reached: connect this machine, give its proxy to apt, or name a mirror "
        "in HYBRID_HIL_DEBIAN_MIRROR",
    ),
    (
        r"does not have a release file|unable to locate package|couldn't find these debs"
        r"|has no installation candidate",
        "the mirror lacks what is needed (the release with -updates and -security, arm64): name another "
        "in HYBRID_HIL_DEBIAN_MIRROR",
    ),
    (
        r"no_pubkey|is not signed|signatures were invalid",
        "bring the package debian-archive-keyring up to date",
    ),
    (r"release file .* is not valid yet|release file .* expired", "set this machine's clock"),
    (
        r"no rule to make target|fatal error: \S+: no such file",
        "if the kernel's fragment asks for a new driver, its sources may be among LEFT_OUT in image/debian/kernel.py",
    ),
)

Signs = Sequence[tuple[str, str]]


def remedy_for(program: str, status: int, tail: Sequence[str], signs: Signs = SIGNS) -> str:
    """The next step after `program` ended with `status`, the last lines it printed being `tail`; the first of `signs`
    that matches them."""
    said = "\n".join(tail).lower()
    for pattern, remedy in signs:
        if re.search(pattern, said):
            return remedy
    if status == COMMAND_NOT_FOUND:
        return missing_program(program)
    return "`hil doctor` checks this machine"


def missing_program(program: str) -> str:
    package = package_of(program)
    return f"install the package `{package}`" if package else "`hil doctor` shows what this machine lacks"


def explained(error: OSError, folder: Path) -> RigError:
    """An operating system's error while `folder` was written, as an error with a remedy."""
    where = Path(error.filename) if isinstance(error.filename, str) else folder
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return RigError(f"no space left at `{where}`", FREE_SPACE)
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) and where.is_relative_to(folder):
        return RigError(f"cannot write `{where}`: {error.strerror}", "set XDG_CACHE_HOME to a folder of yours")
    # shutil's own errors have no number, and a list of what went wrong.
    return RigError(f"`{where}`: {error.strerror or error}", "see to its permissions and to the disk it is on")
