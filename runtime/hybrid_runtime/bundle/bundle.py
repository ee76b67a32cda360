"""An OCI bundle as far as firmware is concerned: config.json of the runtime spec, checked before anything happens."""

from hybrid_runtime import CONFIG
from hybrid_runtime.bundle.annotations import is_sandbox
from hybrid_runtime.system.bounded_file import read_file
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.json_text import BadJSON, read_object, write
from hybrid_runtime.system.path import encoded, resolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.bundle.hook import Hook

# Docker and podman write some 20 KiB. Kubernetes allows a pod 256 KiB of annotations, which CRI-O writes twice.
LARGEST_CONFIG_BYTES = 1024 * 1024

# config-linux.md, Namespaces: what `type` may be.
_NAMESPACES = ("pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time")
# What stands for a pod under podman, which marks it nowhere (pkg/specgen/generate/pod_create.go): it only pauses.
_INFRA_PROGRAM, _INFRA_ARGUMENTS = "catatonit", ["-P"]
# struct winsize, ioctl_tty(2).
_LARGEST_SIZE = 0xFFFF


class SandboxBundle(Exception):
    """The bundle is no firmware's: it is that of a pod's sandbox."""


class Bundle:
    """`root` is absolute; `firmware` is a path inside it, None when config.json has no process. A relative one is
    looked for below `working_folder` first.

    `network` is the network namespace for the supervisor: a path, "" for a new one, None for the runtime's own.
    `console_size` is rows and columns, given or not only with `terminal`. `user` is the id of a user of Linux.

    Raises Failure for a config.json that is not understood, SandboxBundle for one that runc or crun is meant with.
    """

    def __init__(self, path: str, config: bytes) -> None:
        self.path = path
        self.config = config
        values = _parse(path, config)
        self.annotations = _string_map(path, values.get("annotations"), "annotations")
        if is_sandbox(self.annotations):
            raise SandboxBundle
        root = _root_path(path, values)
        self.root = root if root.startswith("/") else f"{path}/{root}"
        process = values.get("process")
        if _is_infra(process):
            raise SandboxBundle
        self.firmware: str | None = None
        self.working_folder = "/"
        self.user = 0
        self.environment: list[str] = []
        self.terminal = False
        self.console_size = (0, 0)
        if process is not None:
            self.firmware, self.environment = _process(path, process)
            self.working_folder = _working_folder(path, process)
            self.user = _user(path, process)
            self.terminal, self.console_size = _terminal(path, process)
        self.hooks = _hooks(path, values.get("hooks"))
        linux = values.get("linux") or {}
        if not isinstance(linux, dict):
            raise _bad(path, "linux is not an object")
        self.network = _network(path, linux.get("namespaces") or [])
        self.cgroups_path = _cgroups_path(path, linux.get("cgroupsPath"))

    def release(self) -> None:
        """Once config.json is kept: what was written by strangers has no place in the memory of a supervisor."""
        self.config = b""
        self.annotations = {}
        self.environment = []
        self.hooks = {}


_REMEDY = "see the OCI runtime spec, config.md"


def _bad(path: str, what: str, remedy: str = _REMEDY) -> Failure:
    return Failure(f"`{path}/{CONFIG}`: {what}", remedy)


def _parse(path: str, config: bytes) -> dict[str, object]:
    try:
        values = read_object(config)
    except BadJSON as error:
        raise _bad(path, str(error), error.remedy or _REMEDY) from error
    version = values.get("ociVersion")
    if not isinstance(version, str) or not version.startswith("1."):
        raise _bad(path, f"ociVersion is `{version}`, only 1.x is understood")
    return values


def _root_path(path: str, values: dict[str, object]) -> str:
    root = values.get("root")
    root_path = root.get("path") if isinstance(root, dict) else None
    if not isinstance(root_path, str) or not _can_be_path(root_path):
        raise _bad(path, "root.path is missing or no path")
    return root_path


def _can_be_path(text: str) -> bool:
    """Not empty, no NUL, and not half of a surrogate pair: that has no bytes."""
    try:
        return bool(encoded(text)) and "\0" not in text
    except UnicodeEncodeError:
        return False


def _process(path: str, process: object) -> tuple[str, list[str]]:
    if not isinstance(process, dict):
        raise _bad(path, "process is not an object")
    args = process.get("args")
    if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], str) or not _can_be_path(args[0]):
        from hybrid_runtime.bundle.arguments import no_firmware

        raise no_firmware(f"`{path}/{CONFIG}`: process.args is", args)
    environment = process.get("env") or []
    if not isinstance(environment, list):
        raise _bad(path, "process.env is not a list")
    for number, entry in enumerate(environment):
        if not isinstance(entry, str):
            raise _bad(path, f"process.env[{number}] is `{write(entry)}`, not a string", "put it in quotation marks")
    return args[0], environment


def _is_infra(process: object) -> bool:
    """Whether it is the container that podman puts into a pod first."""
    args = process.get("args") if isinstance(process, dict) else None
    return (
        isinstance(args, list)
        and args[1:] == _INFRA_ARGUMENTS
        and isinstance(args[0], str)
        and args[0].rpartition("/")[2] == _INFRA_PROGRAM
    )


def _working_folder(path: str, process: object) -> str:
    """process.cwd; left out or empty, it is the root."""
    folder = (process.get("cwd") if isinstance(process, dict) else None) or "/"
    if not isinstance(folder, str) or not folder.startswith("/") or not _can_be_path(folder):
        raise _bad(path, "process.cwd is no absolute path")
    return folder


def _user(path: str, process: object) -> int:
    """process.user.uid; left out, it is root's."""
    user = (process.get("user") if isinstance(process, dict) else None) or {}
    uid = user.get("uid", 0) if isinstance(user, dict) else None
    if type(uid) is not int or uid < 0:
        raise _bad(path, "process.user.uid is no user's number")
    return uid


def _string_map(path: str, value: object, field: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _bad(path, f"{field} is not an object")
    for key, text in value.items():
        if not isinstance(text, str):
            raise _bad(path, f"{field} has `{key}` as `{write(text)}`, not a string", "put it in quotation marks")
    return value


def _terminal(path: str, process: object) -> tuple[bool, tuple[int, int]]:
    """Whether there is one, and its size."""
    fields = process if isinstance(process, dict) else {}
    terminal, size = fields.get("terminal") or False, fields.get("consoleSize")
    if not isinstance(terminal, bool):
        raise _bad(path, "process.terminal is neither true nor false")
    if size is None or not terminal:
        return terminal, (0, 0)
    height, width = (size.get("height"), size.get("width")) if isinstance(size, dict) else (None, None)
    if not (
        isinstance(height, int)
        and isinstance(width, int)
        and 0 <= height <= _LARGEST_SIZE
        and 0 <= width <= _LARGEST_SIZE
    ):
        raise _bad(path, f"process.consoleSize needs height and width, each 0 to {_LARGEST_SIZE}")
    return True, (height, width)


def _hooks(path: str, hooks: object) -> "dict[str, list[Hook]]":
    if not hooks:
        return {}
    from hybrid_runtime.bundle.hook import parse_hooks

    try:
        return parse_hooks(hooks)
    except ValueError as error:
        raise _bad(path, str(error)) from error


def _network(path: str, namespaces: object) -> str | None:
    """A supervisor must see the machine's own /sys, /dev and /lib/firmware, so it is only ever moved to another
    network. Namespaces of the other types are accepted and not entered, but for one: who asks for other users must not
    believe that firmware is kept from the machine's root."""
    if not isinstance(namespaces, list):
        raise _bad(path, "linux.namespaces is not a list")
    places: dict[str, str] = {}
    for entry in namespaces:
        kind = entry.get("type") if isinstance(entry, dict) else None
        if kind not in _NAMESPACES:
            raise _bad(path, f"linux.namespaces has an entry of type `{kind}`, known are {', '.join(_NAMESPACES)}")
        if kind in places:
            raise _bad(path, f"linux.namespaces has more than one entry of type `{kind}`")
        place = entry.get("path") or ""
        if not isinstance(place, str) or (place and not (place.startswith("/") and _can_be_path(place))):
            raise _bad(path, f"the path of the {kind} namespace is no absolute path")
        places[kind] = place
    if "user" in places:
        remedy = "leave `--userns` or `hostUsers: false` away: only users of the machine itself can drive a core"
        raise _bad(path, "a user namespace is asked for", remedy)
    return places.get("network")


def _cgroups_path(path: str, text: object) -> str:
    if text is None:
        return ""
    if not isinstance(text, str) or (text and not _can_be_path(text)) or ".." in text.split("/"):
        raise _bad(path, "linux.cgroupsPath is no path, or leads upwards")
    return text


def read_bundle(path: str) -> Bundle:
    """For create. Raises Failure for a bundle that cannot be read, is none or has hooks that are refused, SandboxBundle
    as Bundle does."""
    try:
        path = resolved(path)
        config = read_file(f"{path}/{CONFIG}", LARGEST_CONFIG_BYTES + 1)
    except OSError as error:
        raise failed(f"cannot read `{path}/{CONFIG}`", error, "give the bundle's folder with --bundle") from error
    if len(config) > LARGEST_CONFIG_BYTES:
        raise Failure(
            f"`{path}/{CONFIG}` is larger than {LARGEST_CONFIG_BYTES} bytes", "that is no bundle of an engine"
        )
    bundle = Bundle(path, config)
    if bundle.hooks:
        from hybrid_runtime.bundle.hook import refuse_image_hooks

        refuse_image_hooks(bundle.hooks)
    return bundle


def kept_bundle(folder: str, path: str) -> Bundle:
    """The bundle at `path` as create found it: later changes to it have no effect (spec, Lifecycle, step 2)."""
    with open(f"{folder}/{CONFIG}", "rb") as source:
        return Bundle(path, source.read())
