"""What could not be written, in one line: what, why, and what to do."""

import errno
import traceback
from pathlib import Path

from hybrid_hil.console.record import printable
from hybrid_hil.failure import RigError, told

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
SHUT = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
REASON_CHARACTERS = 300


def loss(what: str, error: Exception, afterwards: str = "") -> str:
    """The line; `afterwards` is what brings the lost back once its cause is gone."""
    remedy = "; then ".join(filter(None, (_remedy(error), afterwards)))
    return printable(f"{what}: {_reason(error)} ({remedy})")


def _reason(error: Exception) -> str:
    """The error in its own words; a defect with the place that a maintainer looks for."""
    if isinstance(error, OSError):
        reason = told(error)
    elif isinstance(error, RigError):
        reason = error.message
    else:
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in last)
        reason = f"{type(error).__name__}: {error}{place}"
    return " ".join(reason.split())[-REASON_CHARACTERS:]


def _remedy(error: Exception) -> str:
    if isinstance(error, OSError):
        if error.errno in NO_ROOM:
            return "make room there"
        return "name a folder that can be written" if error.errno in SHUT else "see to that path"
    if isinstance(error, RigError) and error.remedy:
        return " ".join(error.remedy.split())
    return "a defect: report this line"
