"""Why a test failed: the lines of a long text that say it."""

import re
from itertools import dropwhile, takewhile

from hybrid_hil.console.record import printable

GIST_CHARACTERS = 200
REASON_LINES = 12
_SAID = re.compile(r"E(?:\s|$)")
_TRACEBACK = "Traceback (most recent call last)"


def reason(detail: str) -> str:
    """What a reader looks for first: pytest's first lines that begin with `E`, without the frame around them.

    A text without such lines begins with its reason, unless it is Python's own traceback, which ends with it.
    """
    lines = [line for line in detail.splitlines() if line.strip()]
    said = list(takewhile(_SAID.match, dropwhile(lambda line: not _SAID.match(line), lines)))
    if not said:
        told = lines[-1:] if any(line.startswith(_TRACEBACK) for line in lines) else lines[:1]
        return printable("".join(told).strip())
    inner = [line[1:] for line in said[:REASON_LINES]]
    margin = min((len(line) - len(line.lstrip()) for line in inner if line.strip()), default=0)
    return "\n".join(printable(line[margin:].rstrip()) for line in inner)


def gist(detail: str) -> str:
    """The reason in one line."""
    return reason(detail).partition("\n")[0][:GIST_CHARACTERS]
