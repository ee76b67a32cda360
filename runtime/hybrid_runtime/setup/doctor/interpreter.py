"""The interpreter, and the byte code that it runs instead of the sources."""

import os
import sys
from collections.abc import Iterator

import hybrid_runtime
from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, WARNING, Check, Finding

OLDEST = (3, 11)
_FOLDER = os.path.dirname(os.path.abspath(hybrid_runtime.__file__))
_COMPILE = "as root, with the interpreter of this device: python3 -IS -m compileall -q -f {folder}"
PYTHON_RIGHT = Check(OK, "the interpreter is new enough", "The tests cover this version, or it is newer.")
PYTHON_OLD = Check(
    PROBLEM,
    "the interpreter is too old",
    "Python 3.11 is the oldest version that is tested.",
    "install Python 3.11 or later, and see that the first line of bin/hybrid-runtime names it",
)
BYTE_CODE_RIGHT = Check(OK, "byte code is up to date", "No call compiles a source.")
BYTE_CODE_MISSING = Check(
    WARNING,
    "byte code is missing",
    "Every call compiles the sources again. That takes longer than all other work of the call.",
    _COMPILE,
)
BYTE_CODE_OUTDATED = Check(
    WARNING,
    "byte code is not that of its source",
    "A source was replaced and not compiled. Every call compiles it, which takes long.",
    _COMPILE,
)
BYTE_CODE_SLOW = Check(
    WARNING,
    "byte code is of a kind that loads slowly",
    "It was compiled with `unchecked-hash` or `checked-hash`. It is correct.",
    _COMPILE,
)
BYTE_CODE_STALE = Check(
    PROBLEM,
    "byte code of another source is run",
    "It was compiled with `unchecked-hash`, then the source was replaced: the old code still runs.",
    _COMPILE,
)

# PEP 552: magic number, flags, and eight bytes. Without a flag these are the source's time and its size. With the
# first flag they are a hash of the source, which is compared only with the second.
_BY_TIME, _UNCHECKED_HASH = 0, 1


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
    for kind in (BYTE_CODE_STALE, BYTE_CODE_OUTDATED, BYTE_CODE_MISSING, BYTE_CODE_SLOW):
        names = [os.path.relpath(source, folder) for source, found in kinds.items() if found is kind]
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield kind.found(f"of {', '.join(f'`{name}`' for name in names[:3])}{more}", folder=folder)
    if set(kinds.values()) == {BYTE_CODE_RIGHT}:
        yield BYTE_CODE_RIGHT.found(f"of {len(sources)} modules")


def kind_of(source: str) -> Check:
    from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash

    try:
        with open(cache_from_source(source), "rb") as file:
            header = file.read(16)
    except OSError:
        return BYTE_CODE_MISSING
    if len(header) < 16 or header[:4] != MAGIC_NUMBER:
        return BYTE_CODE_OUTDATED
    flags = int.from_bytes(header[4:8], "little")
    try:
        with open(source, "rb") as file:
            facts, content = os.fstat(file.fileno()), file.read()
    except OSError:
        return BYTE_CODE_OUTDATED
    if flags == _BY_TIME:
        wanted = (int(facts.st_mtime) & 0xFFFFFFFF, facts.st_size & 0xFFFFFFFF)
        seen = (int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:], "little"))
        return BYTE_CODE_RIGHT if seen == wanted else BYTE_CODE_OUTDATED
    if flags == _UNCHECKED_HASH and source_hash(content) != header[8:]:
        return BYTE_CODE_STALE
    return BYTE_CODE_SLOW
