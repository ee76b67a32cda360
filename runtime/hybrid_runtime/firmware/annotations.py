"""The annotations that tell this runtime something, and the values each may have."""

from hybrid_runtime.failure import Failure

_PREFIX = "remoteproc."
_CHOICES = {
    "remoteproc.recovery": ("container", "kernel"),
    "remoteproc.coredump": ("off",),
    "remoteproc.logs": ("trace", "none"),
    "remoteproc.format": ("elf", "raw"),
}
_KNOWN = frozenset(
    (*_CHOICES, "remoteproc.name", "remoteproc.device", "remoteproc.start-timeout", "remoteproc.firmware.sha256")
)
LONGEST_START_SECONDS = 3600.0
DEFAULT_START_SECONDS = 10.0


def check_annotations(annotations: dict[str, str]) -> None:
    """Raises Failure for what nobody could act on. Annotations of others are left alone."""
    unknown = sorted(key for key in annotations if key.startswith(_PREFIX) and key not in _KNOWN)
    if unknown:
        # A misspelt sha256 or recovery would drop what it was meant to protect.
        raise Failure(f"annotation `{unknown[0]}` is not known", f"known are {', '.join(sorted(_KNOWN))}")
    for key, choices in _CHOICES.items():
        value = annotations.get(key, choices[0])
        if value not in choices:
            raise Failure(f"annotation {key} is `{value}`", f"it may be {' or '.join(choices)}")
    start_seconds(annotations)


def start_seconds(annotations: dict[str, str]) -> float:
    """remoteproc.start-timeout: how long a start may take, in seconds. Raises Failure."""
    text = annotations.get("remoteproc.start-timeout", str(DEFAULT_START_SECONDS))
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= LONGEST_START_SECONDS:
        raise Failure(
            f"annotation remoteproc.start-timeout is `{text}`",
            f"give seconds, at most {LONGEST_START_SECONDS:g}",
        )
    return seconds
