"""Wall-clock times as the OCI runtime spec and the CRI log format want them."""

from time import gmtime, strftime, time_ns


def rfc3339() -> str:
    """UTC with nanoseconds, as containers' `created` and log lines carry it."""
    nanoseconds = time_ns()
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(seconds))}.{fraction:09d}Z"


def rfc3339_seconds() -> str:
    return strftime("%Y-%m-%dT%H:%M:%SZ", gmtime())


def compact() -> str:
    """UTC with microseconds and without colons, for names of files that sort by time."""
    seconds, fraction = divmod(time_ns() // 1000, 1_000_000)
    return f"{strftime('%Y%m%dT%H%M%S', gmtime(seconds))}.{fraction:06d}Z"
