"""What differs between two looks at a board, and what of it the kernel complains of."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

# The kernel's own verdicts, which nothing but a boot takes back.
COMPLAINTS = frozenset({"kernel", "tainted", "warnings", "oopses"})
# Every process is one of its kind: a shell that init has started anew is as good as the one before. One that has
# ended is missed among the runtime's own only, since programs of the system end when they are done.
PROCESS = "process"
RUNTIME = ("python3", "hybrid-runtime")


@dataclass(frozen=True)
class Change:
    """Something that was not there before, or is not any more."""

    text: str
    gone: bool = False

    def __str__(self) -> str:
        return f"no longer: {self.text}" if self.gone else self.text

    @property
    def kind(self) -> str:
        """The first word: what it is."""
        return self.text.partition(" ")[0]

    @property
    def rest(self) -> str:
        """What it is called, and how it is."""
        return self.text.partition(" ")[2]


def changes(before: str, now: str) -> list[Change]:
    """What differs between two looks at a board, in the order it was seen."""
    past, present = before.splitlines(), now.splitlines()
    fresh = [Change(line) for line in _more(past, present)]
    gone = [Change(line, gone=True) for line in _more(present, past) if _is_missed(line)]
    return [*fresh, *gone]


def complaints(found: Sequence[Change]) -> list[Change]:
    """What the kernel says is wrong with itself."""
    return [change for change in found if change.kind in COMPLAINTS and not change.gone]


def unexpected(found: Sequence[Change], texts: Sequence[str] | None) -> list[Change]:
    """The complaints of the kernel that a test did not announce. `texts` are parts of the lines it expects: none of
    them is any line; None is no complaint at all. Marks of the kernel have no line, and go with those that have."""
    said = complaints(found)
    if texts is None:
        return said
    return [one for one in said if texts and one.kind == "kernel" and not any(text in one.text for text in texts)]


def leaving(before: str, now: str, starts: Sequence[str]) -> str:
    """The earlier of two looks, with what is there now and begins with these words: a test may leave that, and the next
    ones find it there."""
    words = tuple(f"{start} " for start in starts)
    kept = [line for line in before.splitlines() if not line.startswith(words)]
    taken = [line for line in now.splitlines() if line.startswith(words)]
    return "".join(f"{line}\n" for line in [*kept, *taken])


def _more(few: Sequence[str], many: Sequence[str]) -> list[str]:
    """The lines of `many` that `few` has not, or not as often, each once."""
    known, names = Counter(few), Counter(_process(line) for line in few)
    found: dict[str, None] = {}
    excess = Counter(_process(line) for line in many)
    excess.subtract(names)
    for line in many:
        if known[line] > 0:
            known[line] -= 1
        elif (name := _process(line)) is None:
            found[line] = None
        elif excess[name] > 0:
            excess[name] -= 1
            found[line] = None
    return list(found)


def _process(line: str) -> str | None:
    """The name of a process, without its number; None for everything else."""
    return line.rpartition(" ")[0] if line.startswith(f"{PROCESS} ") else None


def _is_missed(line: str) -> bool:
    kind, _, rest = line.partition(" ")
    return kind not in COMPLAINTS and (kind != PROCESS or rest.startswith(RUNTIME))
