"""The interpreter, and the byte code that it runs instead of the sources."""

import os
import sys
from collections.abc import Iterator

import hybrid_runtime
from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, WARNING, Check, Finding

OLDEST = (3, 11)
_FOLDER = os.path.dirname(os.path.abspath(hybrid_runtime.__file__))
_COMPILE = f"python3 -IS -m compileall -q -f --invalidation-mode unchecked-hash {_FOLDER}"
PYTHON_RIGHT = Check(OK, "the interpreter is new enough")
PYTHON_OLD = Check(PROBLEM, "the interpreter is too old", "install Python 3.11 or later")
BYTE_CODE_RIGHT = Check(OK, "byte code is up to date")
BYTE_CODE_MISSING = Check(WARNING, "byte code is missing", _COMPILE)
BYTE_CODE_CHECKED = Check(WARNING, "byte code is checked against its source at each call", _COMPILE)
BYTE_CODE_STALE = Check(PROBLEM, "byte code is not that of its source", _COMPILE)

# PEP 552: magic number, flags, and eight bytes: with the first flag a hash of the source, which the second has checked.
_UNCHECKED = 1
_MISSING, _CHECKED, _STALE, _RIGHT = "missing", "checked", "stale", "right"


def check() -> Iterator[Finding]:
    yield check_version(sys.version_info[:2])
    yield from check_byte_code(_FOLDER)


def check_version(version: tuple[int, int]) -> Finding:
    kind = PYTHON_RIGHT if version >= OLDEST else PYTHON_OLD
    return kind.found(f"{sys.implementation.name} {version[0]}.{version[1]}, {sys.executable}")


def check_byte_code(folder: str) -> Iterator[Finding]:
    """Of all modules below a folder."""
    sources = sorted(
        os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names if name.endswith(".py")
    )
    kinds = {source: kind_of(source) for source in sources}
    for kind, wanted in ((BYTE_CODE_STALE, _STALE), (BYTE_CODE_MISSING, _MISSING), (BYTE_CODE_CHECKED, _CHECKED)):
        names = [os.path.relpath(source, folder) for source, found in kinds.items() if found == wanted]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield kind.found(f"of {', '.join(f'`{name}`' for name in names[:3])}{more}")
    if set(kinds.values()) == {_RIGHT}:
        yield BYTE_CODE_RIGHT.found(f"of {len(sources)} modules, unchecked")


def kind_of(source: str) -> str:
    from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash

    try:
        with open(cache_from_source(source), "rb") as file:
            header = file.read(16)
    except OSError:
        return _MISSING
    flags = int.from_bytes(header[4:8], "little")
    if len(header) < 16 or header[:4] != MAGIC_NUMBER:
        return _STALE
    if flags != _UNCHECKED:
        return _CHECKED
    try:
        with open(source, "rb") as file:
            return _RIGHT if source_hash(file.read()) == header[8:16] else _STALE
    except OSError:
        return _STALE
