"""Container engines on this device, and whether their settings name this runtime. Their files are only read."""

import os
from collections.abc import Iterator

from hybrid_runtime.setup.doctor.finding import OK, WARNING, Check, Finding
from hybrid_runtime.setup.engine.registration import ENGINES, Engine
from hybrid_runtime.setup.engine.settings_file import files_at, names_us, read_settings
from hybrid_runtime.system.failure import errno_meaning
from hybrid_runtime.system.system_paths import SystemPaths

_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
NO_ENGINE = Check(OK, "no container engine is installed", "The verbs of this runtime need none.")
KNOWN = Check(OK, "an engine knows this runtime", "One of its settings names `hybrid-runtime`.")
UNKNOWN = Check(
    WARNING,
    "an engine does not know this runtime",
    "The engine is installed, and none of its settings names `hybrid-runtime`.",
    "`hybrid-runtime install {engine}` (docs/engines.md)",
)
DAMAGED = Check(
    WARNING,
    "an engine's settings cannot be read",
    "They cannot be opened, or they are not valid TOML or JSON.",
    "mend `{path}`",
)


def check(system: SystemPaths) -> Iterator[Finding]:
    installed = [engine for engine in ENGINES if _is_installed(system, engine.program)]
    if not installed:
        yield NO_ENGINE.found("looked for " + ", ".join(engine.program for engine in ENGINES))
    for engine in installed:
        yield from _check_engine(system, engine)


def _is_installed(system: SystemPaths, program: str) -> bool:
    return any(os.path.exists(system.path(f"{folder}/{program}")) for folder in _FOLDERS)


def _check_engine(system: SystemPaths, engine: Engine) -> Iterator[Finding]:
    known_from = ""
    for path in files_at(system, engine.places):
        try:
            if names_us(read_settings(path)):
                known_from = path
        except (OSError, ValueError) as error:
            what = errno_meaning(error) if isinstance(error, OSError) else str(error)
            yield DAMAGED.found(f"{engine.program}, `{path}`: {what}", path=path)
    if known_from:
        yield KNOWN.found(f"{engine.program}, by `{known_from}`")
    else:
        yield UNKNOWN.found(engine.program, engine=engine.name)
