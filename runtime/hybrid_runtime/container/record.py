"""What is remembered of a container between two commands: one JSON object in a file of its folder."""

import errno

from hybrid_runtime.system.durable_file import write_durably
from hybrid_runtime.system.failure import Failure, errno_meaning, failed
from hybrid_runtime.system.json_text import BadJSON, read_object, write

# How far create and start have come. Whether the container runs is asked of the kernel, not read here.
CREATING = "creating"
CREATED = "created"
STARTED = "started"
RECORD = "record.json"
# Raised only by a change that an older runtime would misread. A field that comes or goes is none: what a record lacks
# has its default, what it has more is passed over. docs/upgrading.md promises this to users.
FORMAT = 1
# What helps against these below --root.
ROOT_REMEDIES = {
    errno.EACCES: "call as its owner, or choose another --root",
    errno.ENOSPC: "free space there, or choose another --root",
    errno.EROFS: "choose another --root",
}


class UnreadableRecord(Failure):
    """The folder is there, its record is missing or damaged."""


class Owner:
    """A container that a processor may be held for: its id below a `root`, the folder of all containers.

    `created` tells it from the next one of its id. "" stands for whichever container has the id.
    """

    def __init__(self, root: str, identifier: str, created: str = "") -> None:
        self.root = root
        self.identifier = identifier
        self.created = created


class Exit:
    """How the supervisor ended: its exit code, why, and when (RFC 3339)."""

    def __init__(self, code: int, reason: str, time: str) -> None:
        self.code = code
        self.reason = reason
        self.time = time


class Record:
    """One container. Paths are absolute; `firmware_name` is what the kernel's `firmware` attribute is given.

    `hooks` names the kinds of hooks that its configuration has. `refused_stop` says why the core does not stop, while
    that is tried.
    """

    def __init__(self, identifier: str, bundle: str, created: str) -> None:
        self.identifier = identifier
        self.bundle = bundle
        self.created = created
        self.annotations: dict[str, str] = {}
        self.hooks: list[str] = []
        self.phase = CREATING
        self.pid = 0
        self.pid_start_time = 0
        self.device = ""
        self.processor = ""
        self.resolved_path = ""
        self.firmware_name = ""
        self.firmware_file = ""
        self.crashes = 0
        self.crash_time = ""
        self.crash_type = ""
        self.coredump_path = ""
        self.refused_stop = ""
        self.end: Exit | None = None

    def owner(self, root: str) -> Owner:
        """This container and none of its id that came before or comes later."""
        return Owner(root, self.identifier, self.created)

    @property
    def kernel_recovers(self) -> bool:
        """Whether a crashed core is the kernel's to restart, or ends the container."""
        return self.annotations.get("remoteproc.recovery") == "kernel"

    @property
    def keeps_dumps(self) -> bool:
        """Whether the memory of a crashed core is to be kept."""
        return self.annotations.get("remoteproc.coredump") == "on"

    def to_json(self) -> dict[str, object]:
        values = {"format": FORMAT, **self.__dict__}
        values["end"] = self.end.__dict__ if self.end else None
        return values

    @classmethod
    def from_json(cls, values: dict[str, object], identifier: str) -> "Record":
        """Of the container that is called so. A field that is absent has its default, as other versions know other
        fields. Raises ValueError for a field of the wrong type and for a later format."""
        written = values.get("format", FORMAT)
        if type(written) is not int or written > FORMAT:
            raise ValueError(f"it is of format `{written}`, this version reads up to {FORMAT}")
        record = cls(identifier, "", "")
        for field, default in cls(identifier, "", "").__dict__.items():
            value = values.get(field, default)
            if field == "end":
                record.end = _end(value)
            elif type(value) is not type(default):
                raise ValueError(f"field `{field}` is of the wrong type")
            else:
                setattr(record, field, value)
        if record.identifier != identifier:
            raise ValueError("field `identifier` names another container")
        if record.phase not in (CREATING, CREATED, STARTED):
            raise ValueError("field `phase` is none of a container's")
        if record.device and not is_device(record.device):
            raise ValueError("field `device` is no processor")
        if any(type(value) is not str for value in record.annotations.values()):
            raise ValueError("an annotation is not a string")
        return record

    def save(self, folder: str) -> None:
        """Raises Failure, the former record still in place."""
        try:
            write_durably(record_path(folder), write(self.to_json()).encode())
        except OSError as error:
            raise failed(
                f"cannot write the record of container `{self.identifier}` in `{folder}`",
                error,
                "choose another --root",
                ROOT_REMEDIES,
            ) from error


def is_device(name: str) -> bool:
    """remoteprocN: it becomes part of paths."""
    number = name.removeprefix("remoteproc")
    return number != name and number.isascii() and number.isdigit()


def _end(value: object) -> Exit | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise ValueError("field `end` is not an object")
    code, reason, time = value.get("code", 0), value.get("reason", ""), value.get("time", "")
    if not (type(code) is int and isinstance(reason, str) and isinstance(time, str)):
        raise ValueError("a field of `end` is of the wrong type")
    return Exit(code, reason, time)


def record_path(folder: str) -> str:
    return f"{folder}/{RECORD}"


def load_record(folder: str, identifier: str) -> Record:
    """Raises UnreadableRecord."""
    remedy = f"`hybrid-runtime delete --force {identifier}` cleans up what can be found"
    try:
        with open(record_path(folder), "rb") as source:
            return Record.from_json(read_object(source.read()), identifier)
    except OSError as error:
        raise UnreadableRecord(
            f"the record of container `{identifier}` cannot be read: {errno_meaning(error)}", remedy
        ) from error
    except (BadJSON, ValueError) as error:
        raise UnreadableRecord(f"the record of container `{identifier}` is damaged: {error}", remedy) from error
