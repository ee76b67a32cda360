"""Whether the runtime on a board is the one of a payload, byte code included."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND, DIGESTS, FILE_TIME, FOLDER, LAUNCHER, LINK, SHIM, RuntimePayload
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Shell

NAMED = 3
# PEP 552: the magic number, the flags, then the time and the size of the source. Of four bytes each, no flag is set.
HEADER_BYTES = 16
_CACHED = re.compile(r"(?P<folder>.*/)__pycache__/(?P<module>\w+)\.[\w-]+\.pyc")
_SEPARATOR = "byte code"
# The digests are the board's, and compared here: its own list of them may be as old as what it lists.
_QUESTION = f"""
cd {FOLDER} || exit 0
[ {COMMAND} -ef {LAUNCHER} ] || echo "elsewhere {COMMAND}"
[ /usr/{SHIM} -ef {SHIM} ] || echo "elsewhere /usr/{SHIM}"
[ {LINK} -ef {LAUNCHER} ] || echo "elsewhere {LINK}"
find . -type f ! -name '*.pyc' -exec sha256sum {{}} +
echo {_SEPARATOR}
find . -name '*.pyc' -exec head -v -c {HEADER_BYTES} {{}} +
"""


class StaleRuntimeError(RigError):
    """The runtime on a board is not the one that belongs there."""


def require_deployed(shell: Shell, packed: RuntimePayload, deadline: Deadline) -> None:
    """The board has the runtime of this payload and nothing else in its place, by one command.

    Raises:
        StaleRuntimeError: files differ, are missing or too many, or byte code is of another source.
        RigError: the board does not answer.
    """
    found = differences(packed, shell.output(_QUESTION, deadline=deadline))
    if found:
        rest = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
        raise StaleRuntimeError(
            f"the runtime on the board is not this checkout's: {', '.join(found[:NAMED])}{rest}",
            f"see what else writes to {FOLDER} there, and deploy it again: hil deploy",
        )


def differences(packed: RuntimePayload, seen: bytes) -> list[str]:
    """What is otherwise on the board that gave this answer, in words."""
    listed, _, headers = seen.partition(f"{_SEPARATOR}\n".encode())
    return [*_files(packed, listed.decode(errors="replace")), *_byte_code(packed.modules, headers)]


def _files(packed: RuntimePayload, listed: str) -> Iterator[str]:
    wanted = packed.digests | {DIGESTS: hashlib.sha256(packed.listing).hexdigest()}
    lines = [line.partition(" ") for line in listed.splitlines()]
    there = {name.strip().removeprefix("./"): digest for digest, _, name in lines if digest != "elsewhere"}
    for name, digest in wanted.items():
        if name not in there:
            yield f"`{name}` is missing"
        elif there[name] != digest:
            yield f"`{name}` differs"
    yield from (f"`{name}` does not belong there" for name in sorted(there.keys() - wanted.keys()))
    yield from (f"`{path}` leads elsewhere" for word, _, path in lines if word == "elsewhere")


def _byte_code(modules: dict[str, bytes], shown: bytes) -> Iterator[str]:
    """By the time and the size of its source. A file that was written on the board has another time."""
    missing = set(modules)
    for path, header in _headers(shown):
        cached = _CACHED.fullmatch(path)
        module = f"{cached['folder']}{cached['module']}.py" if cached else ""
        if module not in modules:
            yield f"`{path}` does not belong there"
            continue
        missing.discard(module)
        if not _is_of(header, modules[module]):
            yield f"`{path}` is of another source"
    yield from (f"`{module}` has no byte code" for module in sorted(missing))


def _headers(shown: bytes) -> Iterator[tuple[str, bytes]]:
    """As head(1) names and shows them; one that was cut short is shorter here."""
    parts = re.split(rb"(?:^|\n)==> \./(.+?) <==\n", shown)
    for name, header in zip(parts[1::2], parts[2::2], strict=True):
        yield str(PurePosixPath(name.decode(errors="replace"))), header[:HEADER_BYTES]


def _is_of(header: bytes, source: bytes) -> bool:
    return header[4:] == b"".join(number.to_bytes(4, "little") for number in (0, FILE_TIME, len(source)))
