"""What of a night is run, decided before anything is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from hybrid_hil.failure import RigError
from hybrid_hil.nightly.part import Part


@dataclass(frozen=True)
class Filter:
    """What a person asked for: shell patterns of parts' names, and how many minutes there are."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    bound: float | None = None


@dataclass(frozen=True)
class Planned:
    """A part that is run, or for what `reason` it is left out."""

    part: Part
    reason: str = ""


def plan(parts: Sequence[Part], part_filter: Filter, missing: Mapping[str, str]) -> list[Planned]:
    """All of `parts` that are wished for; `missing` says of each need that is not at hand why that is so.

    Raises:
        RigError: a wish names no part.
    """
    for pattern in (*part_filter.only, *part_filter.skip):
        if not any(fnmatchcase(part.name, pattern) for part in parts):
            raise RigError(f"a night has no part `{pattern}`", "`hil nightly --list` shows them", exit_code=2)
    wished = [part for part in parts if not part_filter.only or _named(part, part_filter.only)]
    return [Planned(part, _against(part, part_filter, missing)) for part in wished]


def no_room(part: Part, begun_minutes_ago: float, bound: float | None) -> str:
    """Why `part` is not begun that late in a night of `bound` minutes; empty when it fits."""
    if bound is None or begun_minutes_ago + part.minutes <= bound:
        return ""
    left = max(0.0, bound - begun_minutes_ago)
    return f"takes about {part.minutes} minutes, {left:.0f} of {bound:g} are left"


def foreseen(planned: Sequence[Planned], bound: float | None) -> list[Planned]:
    """`planned` as it will go if every part takes what it is said to take."""
    begun = 0.0
    result = []
    for one in planned:
        reason = one.reason or no_room(one.part, begun, bound)
        begun += 0 if reason else one.part.minutes
        result.append(Planned(one.part, reason))
    return result


def _named(part: Part, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(part.name, pattern) for pattern in patterns)


def _against(part: Part, part_filter: Filter, missing: Mapping[str, str]) -> str:
    if _named(part, part_filter.skip):
        return "not wished for: --skip"
    return next((missing[need] for need in part.needs if need in missing), "")
