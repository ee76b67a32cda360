"""Lines after which a board is beyond hope."""

import re

_KERNEL = re.compile(
    r"(?:^|\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])? )"
    r"(?P<what>Kernel panic - not syncing.*|Internal error: .*|Unable to handle kernel .*|kernel BUG at .*)"
)
# busybox init's own words, and those of the board's start script
_INIT = re.compile(r"^(?P<what>can't run '/etc/init\.d/rcS'.*|hybrid-board: no .*)")


def alarm(line: str) -> str | None:
    """What in this console line means that Linux cannot go on, or None.

    The kernel's words count after its time stamp or at the start of a line only, so that a shell's echo of
    a command that names them does not.
    """
    found = _KERNEL.search(line) or _INIT.search(line)
    return found["what"].strip() if found else None
