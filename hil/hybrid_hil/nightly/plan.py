"""What of a night is run, decided before anything is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from hybrid_hil.failure import RigError
from hybrid_hil.nightly.job import Job


@dataclass(frozen=True)
class Filter:
    """What a person asked for: shell patterns of jobs' names, and how many minutes there are."""

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    bound: float | None = None


@dataclass(frozen=True)
class Planned:
    """A job that is run, or for what `reason` it is left out."""

    job: Job
    reason: str = ""


def plan(jobs: Sequence[Job], job_filter: Filter, missing: Mapping[str, str]) -> list[Planned]:
    """All of `jobs` that are wished for; `missing` says of each need that is not at hand why that is so.

    Raises:
        RigError: a wish names no job.
    """
    for pattern in (*job_filter.only, *job_filter.skip):
        if not any(fnmatchcase(job.name, pattern) for job in jobs):
            raise RigError(f"a night has no part `{pattern}`", "`hil nightly --list` shows them", exit_code=2)
    wished = [job for job in jobs if not job_filter.only or _named(job, job_filter.only)]
    return [Planned(job, _against(job, job_filter, missing)) for job in wished]


def no_room(job: Job, begun_minutes_ago: float, bound: float | None) -> str:
    """Why `job` is not begun that late in a night of `bound` minutes; empty when it fits."""
    if bound is None or begun_minutes_ago + job.minutes <= bound:
        return ""
    left = max(0.0, bound - begun_minutes_ago)
    return f"takes about {job.minutes} minutes, {left:.0f} of {bound:g} are left"


def foreseen(planned: Sequence[Planned], bound: float | None) -> list[Planned]:
    """`planned` as it will go if every job takes what it is said to take."""
    begun = 0.0
    result = []
    for one in planned:
        reason = one.reason or no_room(one.job, begun, bound)
        begun += 0 if reason else one.job.minutes
        result.append(Planned(one.job, reason))
    return result


def _named(job: Job, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(job.name, pattern) for pattern in patterns)


def _against(job: Job, job_filter: Filter, missing: Mapping[str, str]) -> str:
    if _named(job, job_filter.skip):
        return "not wished for: --skip"
    return next((missing[need] for need in job.needs if need in missing), "")
