"""Buildroot's configuration: a defconfig and what is set on top, held to every line of it."""

import re
from collections.abc import Iterable
from pathlib import Path

from hybrid_hil.failure import RigError, told
from hybrid_hil.image.kconfig import lost_lines, settings, symbol_of

SHOWN = 12
# A build that goes on throws the assembled root file system away, which only these can make again.
NEEDED = "BR2_PER_PACKAGE_DIRECTORIES=y"
QUOTED = re.compile(r'"([^"]*)"')


def check_configuration(wanted: str, configuration: str, version: str) -> None:
    """Raises RigError when Buildroot `version` made a `configuration` that lacks lines of `wanted`, or one that the
    rig cannot work with."""
    lost = lost_lines(wanted, configuration)
    if lost:
        shown = ", ".join(f"`{line}`" for line in lost[:SHOWN])
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        raise RigError(
            f"Buildroot `{version}` dropped {shown}{more}",
            "set what they depend on, or say `# SYMBOL is not set` in a file for `--settings`",
        )
    if NEEDED not in settings(configuration):
        raise RigError(f"the settings take `{NEEDED}` back", "leave it on: builds could not go on otherwise")


def read_settings(files: Iterable[Path]) -> list[str]:
    """The texts of `files` that a person has named.

    Raises:
        RigError: one cannot be read, or has a line that sets nothing and is no comment.
    """
    return [_read(file) for file in files]


def files_named_in(texts: Iterable[str]) -> list[Path]:
    """Files, not folders, that settings name by absolute paths: kernel fragments, archives, override files."""
    words = (word for text in texts for value in QUOTED.findall(text) for word in value.split())
    return sorted({Path(word) for word in words if word.startswith("/") and Path(word).is_file()})


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the settings `{file}` cannot be read: {told(error)}"
        raise RigError(message, "give a readable text file", exit_code=2) from error
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if line and not line.startswith("#") and symbol_of(line) is None:
            raise RigError(
                f"`{file}`, line {number}: `{line[:80]}` sets nothing", "write `BR2_SYMBOL=value`", exit_code=2
            )
    return text
