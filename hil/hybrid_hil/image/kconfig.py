"""Kconfig's files, the kernel's and Buildroot's: fragments, and what a configuration has made of them.

Kconfig drops what it does not know, what was renamed and what lacks a dependency without a word."""

import re
from collections.abc import Iterable

LINE = re.compile(r"^(?:((?:CONFIG|BR2)_\w+)=(?P<value>.*)|# ((?:CONFIG|BR2)_\w+) is not set)$")


def settings(text: str) -> list[str]:
    """The lines of a fragment that set something: `SYMBOL=…` and `# SYMBOL is not set`."""
    return [line for line in map(str.strip, text.splitlines()) if symbol_of(line) is not None]


def merged(texts: Iterable[str]) -> str:
    """One fragment out of several: of lines that set the same symbol the last counts."""
    lines: dict[str | None, str] = {}
    for line in (line for text in texts for line in settings(text)):
        lines.pop(symbol_of(line), None)
        lines[symbol_of(line)] = line
    return "".join(f"{line}\n" for line in lines.values())


def lost_lines(fragment: str, configuration: str) -> list[str]:
    """Settings of `fragment` that are not in `configuration`. Not set, and not known at all, are the same."""
    final = {symbol_of(line): line for line in settings(configuration)}
    return [line for line in settings(fragment) if not _kept(line, final.get(symbol_of(line)))]


def symbol_of(line: str) -> str | None:
    """The symbol that `line` sets, if it sets one."""
    match = LINE.match(line)
    return (match[1] or match[3]) if match else None


def _kept(line: str, final: str | None) -> bool:
    return line == final or (_is_off(line) and (final is None or _is_off(final)))


def _is_off(line: str) -> bool:
    return line.startswith("#") or line.endswith("=n")
