"""Container engines on this device, and whether their settings name this runtime. Their files are only read."""

import os
from collections.abc import Iterator

from hybrid_runtime.checkup.finding import OK, WARNING, Finding, Kind
from hybrid_runtime.machine import Machine

PROGRAM = "hybrid-runtime"
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
NO_ENGINE = Kind(OK, "no container engine is installed")
KNOWN = Kind(OK, "an engine knows this runtime")
UNKNOWN = Kind(WARNING, "an engine does not know this runtime", "{setting}")
DAMAGED = Kind(WARNING, "an engine's settings cannot be read", "mend `{path}`")

# Program, files or folders of settings, and the setting that is missing.
_ENGINES = (
    (
        "podman",
        (
            "/usr/share/containers/containers.conf",
            "/etc/containers/containers.conf",
            "/etc/containers/containers.conf.d",
        ),
        "/etc/containers/containers.conf.d/hybrid-runtime.conf: "
        '[engine.runtimes] hybrid-runtime = ["/usr/bin/hybrid-runtime"]',
    ),
    (
        "dockerd",
        ("/etc/docker/daemon.json",),
        '/etc/docker/daemon.json: {"runtimes": {"hybrid-runtime": {"path": "/usr/bin/hybrid-runtime"}}}',
    ),
    (
        "containerd",
        ("/etc/containerd/config.toml", "/etc/containerd/conf.d"),
        "/etc/containerd/config.toml: a runtime of type io.containerd.runc.v2 with "
        'options.BinaryName = "/usr/bin/hybrid-runtime"',
    ),
    (
        "crio",
        ("/etc/crio/crio.conf", "/etc/crio/crio.conf.d"),
        "/etc/crio/crio.conf.d/hybrid-runtime.conf: "
        '[crio.runtime.runtimes.hybrid-runtime] runtime_path = "/usr/bin/hybrid-runtime"',
    ),
)


def check(machine: Machine) -> Iterator[Finding]:
    installed = [engine for engine in _ENGINES if _is_installed(machine, engine[0])]
    if not installed:
        yield NO_ENGINE.found("looked for " + ", ".join(engine[0] for engine in _ENGINES))
    for program, places, setting in installed:
        yield from _check_engine(machine, program, places, setting)


def _is_installed(machine: Machine, program: str) -> bool:
    return any(os.path.exists(machine.path(f"{folder}/{program}")) for folder in _FOLDERS)


def _check_engine(machine: Machine, program: str, places: tuple[str, ...], setting: str) -> Iterator[Finding]:
    known_from = ""
    for path in _files(machine, places):
        try:
            if names_us(read_settings(path)):
                known_from = path
        except (OSError, ValueError) as error:
            yield DAMAGED.found(f"{program}, `{path}`: {error}", path=path)
    if known_from:
        yield KNOWN.found(f"{program}, by `{known_from}`")
    else:
        yield UNKNOWN.found(program, setting=setting)


def _files(machine: Machine, places: tuple[str, ...]) -> list[str]:
    found = []
    for path in (machine.path(place) for place in places):
        if os.path.isdir(path):
            found += sorted(os.path.join(path, name) for name in os.listdir(path) if name.endswith((".conf", ".toml")))
        elif os.path.exists(path):
            found.append(path)
    return found


def read_settings(path: str) -> object:
    """Raises OSError or ValueError."""
    import json
    import tomllib

    with open(path, "rb") as source:
        return json.load(source) if path.endswith(".json") else tomllib.load(source)


def names_us(settings: object) -> bool:
    """Whether a value somewhere in it is a path of this runtime's command."""
    if isinstance(settings, dict):
        return any(names_us(value) for value in settings.values())
    if isinstance(settings, list):
        return any(names_us(value) for value in settings)
    return isinstance(settings, str) and settings.startswith("/") and os.path.basename(settings) == PROGRAM
