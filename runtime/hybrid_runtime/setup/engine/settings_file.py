"""The settings of engines, read: JSON and TOML files, and the files we bring for them."""

import json
import os
import tomllib

import hybrid_runtime
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.system_paths import SystemPaths

PROGRAM = "hybrid-runtime"
COMMAND = f"/usr/bin/{PROGRAM}"
# runtime/ of a checkout, /usr/lib/hybrid-runtime of a device.
_HOME = os.path.dirname(os.path.dirname(os.path.abspath(hybrid_runtime.__file__)))


def template(name: str) -> str:
    """A file of engines/, with the path that this runtime's command has on this machine. Raises Failure."""
    path = f"{_HOME}/engines/{name}"
    try:
        with open(path, encoding="utf-8") as source:
            return source.read().replace(f'"{COMMAND}"', json.dumps(_command()))
    except OSError as error:
        raise failed(f"cannot read `{path}`", error, "install the runtime with its folder `engines`") from error


def _command() -> str:
    """Where packages put it, if that is this one."""
    launcher = f"{_HOME}/bin/{PROGRAM}"
    return launcher if os.path.realpath(COMMAND) != launcher and os.path.exists(launcher) else COMMAND


def text_or_none(path: str) -> str | None:
    """None when there is no such file. Raises OSError."""
    try:
        with open(path, encoding="utf-8", errors="replace") as source:
            return source.read()
    except FileNotFoundError:
        return None


def read_settings(path: str) -> dict[str, object]:
    """Raises OSError or ValueError."""
    with open(path, "rb") as source:
        settings = json.load(source) if path.endswith(".json") else tomllib.load(source)
    if not isinstance(settings, dict):
        raise ValueError("it holds no object")
    return settings


def settings_or_none(path: str) -> dict[str, object] | None:
    """None when there is no such file. Raises Failure for one that cannot be understood."""
    try:
        return read_settings(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(f"cannot read `{path}`", error, "mend it; the engine cannot read it either") from error
    except ValueError as error:
        raise Failure(f"cannot read `{path}`: {error}", "mend it; the engine cannot read it either") from error


def names_us(settings: object) -> bool:
    """Whether a value somewhere in it is a path of this runtime's command."""
    if isinstance(settings, dict):
        return any(names_us(value) for value in settings.values())
    if isinstance(settings, list):
        return any(names_us(value) for value in settings)
    return isinstance(settings, str) and settings.startswith("/") and os.path.basename(settings) == PROGRAM


def files_at(system: SystemPaths, places: tuple[str, ...]) -> list[str]:
    """Those that are there; of a folder the drop-ins in it."""
    found = []
    for path in (system.path(place) for place in places):
        if os.path.isdir(path):
            found += sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith((".conf", ".toml")))
        elif os.path.exists(path):
            found.append(path)
    return found
