"""The annotations that tell this runtime something, and the values each may have."""

from hybrid_runtime.system.failure import Failure

_PREFIX = "remoteproc."
# What a container is of a pod: of containerd (pkg/cri/annotations) and CRI-O (pkg/annotations).
_POD_KINDS = ("io.kubernetes.cri.container-type", "io.kubernetes.cri-o.ContainerType")
# What an image's STOPSIGNAL becomes (annotations.md of the OCI image spec). podman passes it.
STOP_SIGNAL = "org.opencontainers.image.stopSignal"
_CHOICES = {
    "remoteproc.recovery": ("container", "kernel"),
    "remoteproc.coredump": ("off", "on"),
    "remoteproc.format": ("elf", "raw"),
}
_KNOWN = frozenset(
    (
        *_CHOICES, "remoteproc.name", "remoteproc.device", "remoteproc.allocated",
        "remoteproc.start-timeout", "remoteproc.firmware.sha256", "remoteproc.logs", "remoteproc.logs-size",
    )
)  # fmt: skip
LONGEST_START_SECONDS = 3600.0
DEFAULT_START_SECONDS = 10.0
# Of the log file; a rotated one as large comes on top. The least holds a few lines of the longest kind.
SMALLEST_LOG = 16 << 10
LARGEST_LOG = 64 << 20
DEFAULT_LOG = 256 << 10
# RPMSG_NAME_SIZE of include/linux/mod_devicetable.h, with its NUL.
_LONGEST_CHANNEL = 31
_LARGEST_ADDRESS = (1 << 32) - 1
_CHANNEL_PREFIX = "rpmsg:"
# Name and address; None stands for every channel of the name.
NamedChannel = tuple[str, "int | None"]


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
    log_bytes(annotations)
    _check_log_sources(annotations)


def own_annotations(annotations: dict[str, str]) -> dict[str, str]:
    """Those that tell this runtime something."""
    return {key: value for key, value in annotations.items() if key.startswith(_PREFIX) or key == STOP_SIGNAL}


def is_sandbox(annotations: dict[str, str]) -> bool:
    """Whether it is the container that stands for a pod."""
    return any(annotations.get(key) == "sandbox" for key in _POD_KINDS)


def is_in_pod(annotations: dict[str, str]) -> bool:
    """Whether a kubelet has asked for it."""
    return any(annotations.get(key) == "container" for key in _POD_KINDS)


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


def log_bytes(annotations: dict[str, str]) -> int:
    """remoteproc.logs-size: how large the log may become before it is rotated. Raises Failure."""
    text = annotations.get("remoteproc.logs-size", str(DEFAULT_LOG))
    shift = {"K": 10, "M": 20}.get(text[-1:].upper(), 0)
    digits = text[:-1] if shift else text
    size = int(digits) << shift if digits.isascii() and digits.isdigit() and len(digits) < 10 else 0
    if not SMALLEST_LOG <= size <= LARGEST_LOG:
        raise Failure(
            f"annotation remoteproc.logs-size is `{text}`",
            f"give bytes, or a number with K or M, from {SMALLEST_LOG >> 10}K to {LARGEST_LOG >> 20}M",
        )
    return size


def _log_sources(annotations: dict[str, str]) -> list[str]:
    return [word.strip() for word in annotations.get("remoteproc.logs", "trace").split(",")]


def follows_trace(annotations: dict[str, str]) -> bool:
    """Whether the trace buffers are part of the container's output."""
    return "trace" in _log_sources(annotations)


def rpmsg_channels(annotations: dict[str, str]) -> list[NamedChannel]:
    """The RPMsg channels that are part of the container's output, each once. Raises Failure."""
    words = [word for word in _log_sources(annotations) if word.startswith(_CHANNEL_PREFIX)]
    return list(dict.fromkeys(_named_channel(word) for word in words))


def _named_channel(source: str) -> NamedChannel:
    """Of `rpmsg:NAME` or `rpmsg:NAME@ADDRESS`, the address in decimal or, as the kernel writes it, after 0x."""
    name, at, text = source.removeprefix(_CHANNEL_PREFIX).rpartition("@")
    if not at:
        name = text
    if not (name.isprintable() and 0 < len(name.encode()) <= _LONGEST_CHANNEL):
        raise _bad_source(source)
    return name, _address(source, text) if at else None


def _address(source: str, text: str) -> int:
    try:
        address = int(text, 16 if text[:2].lower() == "0x" else 10) if text.isascii() and text.isalnum() else -1
    except ValueError:
        address = -1
    if not 0 <= address <= _LARGEST_ADDRESS:
        raise _bad_source(source)
    return address


def _check_log_sources(annotations: dict[str, str]) -> None:
    if _log_sources(annotations) == ["none"]:
        return
    for source in _log_sources(annotations):
        if source.startswith(_CHANNEL_PREFIX):
            _named_channel(source)
        elif source != "trace":
            raise _bad_source(source)


def _bad_source(source: str) -> Failure:
    return Failure(
        f"annotation remoteproc.logs has `{source}`",
        "it may be none, or a list of trace, rpmsg:CHANNEL and rpmsg:CHANNEL@ADDRESS, "
        f"a name of at most {_LONGEST_CHANNEL} bytes and an address such as 1024 or 0x400",
    )
