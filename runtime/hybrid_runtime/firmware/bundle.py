"""An OCI bundle as far as firmware is concerned: config.json of the runtime spec, checked before anything happens."""

import os

from hybrid_runtime.failure import Failure, errno_meaning
from hybrid_runtime.json_text import BadJSON, read_object, write

LARGEST_CONFIG_BYTES = 16 * 1024 * 1024
CONFIG = "config.json"


class Bundle:
    """`root` is absolute; `firmware` is a path inside it, None when config.json has no process."""

    def __init__(self, path: str, config: bytes) -> None:
        self.path = path
        self.config = config
        values = _parse(path, config)
        self.annotations = _string_map(path, values.get("annotations"), "annotations")
        self.root = os.path.join(path, _root_path(path, values))
        process = values.get("process")
        self.firmware: str | None = None
        self.environment: list[str] = []
        if process is not None:
            self.firmware, self.environment = _process(path, process)
        _refuse_hooks(path, values.get("hooks"))


def _bad(path: str, what: str) -> Failure:
    return Failure(f"`{path}/{CONFIG}`: {what}", "see the OCI runtime spec, config.md")


def _parse(path: str, config: bytes) -> dict[str, object]:
    try:
        values = read_object(config)
    except BadJSON as error:
        raise _bad(path, str(error)) from error
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
        return bool(os.fsencode(text)) and "\0" not in text
    except UnicodeEncodeError:
        return False


def _process(path: str, process: object) -> tuple[str, list[str]]:
    if not isinstance(process, dict):
        raise _bad(path, "process is not an object")
    args = process.get("args")
    if not isinstance(args, list) or len(args) != 1 or not isinstance(args[0], str) or not _can_be_path(args[0]):
        raise _bad(path, "process.args must hold exactly one string, the firmware's path in the image")
    environment = process.get("env") or []
    if not isinstance(environment, list) or any(not isinstance(entry, str) for entry in environment):
        raise _bad(path, "process.env is not a list of strings")
    return args[0], environment


def _string_map(path: str, value: object, field: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or any(not isinstance(text, str) for text in value.values()):
        raise _bad(path, f"{field} is not an object of strings")
    return value


def _refuse_hooks(path: str, hooks: object) -> None:
    if isinstance(hooks, dict) and any(hooks.values()):
        raise _bad(path, f"hooks are not run by this version: {', '.join(sorted(hooks))}")


def read_bundle(path: str) -> Bundle:
    """Raises Failure for a bundle that cannot be read or is not one."""
    path = os.path.realpath(path)
    try:
        with open(f"{path}/{CONFIG}", "rb") as source:
            config = source.read(LARGEST_CONFIG_BYTES + 1)
    except OSError as error:
        raise Failure(
            f"cannot read `{path}/{CONFIG}`: {errno_meaning(error)}", "give the bundle's folder with --bundle"
        ) from error
    if len(config) > LARGEST_CONFIG_BYTES:
        raise Failure(
            f"`{path}/{CONFIG}` is larger than {LARGEST_CONFIG_BYTES} bytes", "that is no bundle of an engine"
        )
    return Bundle(path, config)


def bundle_of_file(folder: str, firmware: str, annotations: dict[str, str]) -> Bundle:
    """A bundle for a firmware file: its root file system is the folder the file lies in. `folder` is made."""
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": os.path.dirname(firmware), "readonly": True},
        "process": {"cwd": "/", "args": [os.path.basename(firmware)]},
        "annotations": annotations,
    }
    data = write(config).encode()
    os.mkdir(folder, 0o700)
    with open(f"{folder}/{CONFIG}", "xb") as target:
        target.write(data)
    return Bundle(folder, data)
