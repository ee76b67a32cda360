"""Buildroot's configuration: a defconfig and what is set on top, loaded, and held to every line of it."""

import re
from collections.abc import Iterable
from pathlib import Path

from hybrid_hil.failure import RigError

LINE = re.compile(r"^(?:(BR2_\w+)=.*|# (BR2_\w+) is not set)$")
SHOWN = 12


def merged(texts: Iterable[str]) -> str:
    """One defconfig out of several: of lines that set the same symbol the last counts."""
    lines: dict[str, str] = {}
    for text in texts:
        for line in map(str.strip, text.splitlines()):
            symbol = symbol_of(line)
            if symbol is not None:
                lines.pop(symbol, None)
                lines[symbol] = line
    return "".join(f"{line}\n" for line in lines.values())


def lost_symbols(wanted: str, configuration: str) -> list[str]:
    """Lines of the defconfig `wanted` that are not in the .config `configuration`: Buildroot drops what it does not
    know, what was renamed and what lacks a dependency without a word. Not set, and not known, are the same."""
    final = {symbol_of(line): line for line in configuration.splitlines()}
    lines = [line for line in wanted.splitlines() if symbol_of(line) is not None]
    return [line for line in lines if final.get(symbol_of(line), line if _is_off(line) else "") != line]


def check_configuration(wanted: str, configuration: str, version: str) -> None:
    """Raises RigError when Buildroot `version` made a `configuration` that lacks lines of `wanted`."""
    lost = lost_symbols(wanted, configuration)
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        raise RigError(
            f"Buildroot {version} dropped {', '.join(lost[:SHOWN])}{more}",
            "set what they depend on, or say `# SYMBOL is not set` in a file for --settings",
        )


def read_settings(files: Iterable[Path]) -> list[str]:
    """The texts of `files` that a person has named.

    Raises:
        RigError: one cannot be read, or has a line that sets nothing and is no comment.
    """
    return [_read(file) for file in files]


def symbol_of(line: str) -> str | None:
    """The symbol that `line` of a defconfig or .config sets, if it sets one."""
    match = LINE.match(line)
    return (match[1] or match[2]) if match else None


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RigError(f"cannot read the settings `{file}`: {error}", "give a readable text file") from error
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line and not line.startswith("#") and symbol_of(line) is None:
            raise RigError(f"`{file}`, line {number}: `{line[:80]}` sets nothing", "write BR2_SYMBOL=value")
    return text


def _is_off(line: str) -> bool:
    return line.startswith("#")
