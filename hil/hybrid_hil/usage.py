"""What a person may have asked for in error, told in the rig's own words."""

import re
from pathlib import Path

import click

from hybrid_hil.failure import RigError

WRONG_USAGE = 2
_CLICK_SAYS = (
    (re.compile(r"'([^']*)'"), r"`\1`"),
    (re.compile(r" is not a valid (integer|integer range)$"), " is no whole number"),
    (re.compile(r" is not a valid (float|float range)$"), " is no number"),
)


def spoken(error: click.UsageError) -> RigError:
    """A usage error of click's: lower case, no full stop, values in backticks, and where to read on."""
    text = error.format_message().rstrip(".")
    for pattern, ours in _CLICK_SAYS:
        text = pattern.sub(ours, text)
    path = error.ctx.command_path if error.ctx is not None else "hil"
    return RigError(text[:1].lower() + text[1:], f"`{path} --help` shows what it takes", exit_code=WRONG_USAGE)


def require_folder(path: Path) -> None:
    """Makes the folder for results, before anything runs whose results they are.

    Raises:
        RigError: it cannot be made, or is none; exit code 2.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"results cannot go to `{path}`: {error.strerror}"
        raise RigError(message, "name a folder that can be written", exit_code=WRONG_USAGE) from error


def refuse_empty(option: str, value: str | None) -> None:
    """An empty value is what is left of a command substitution that failed. Raises RigError; exit code 2."""
    if value == "":
        raise RigError(f"{option} is empty", "leave it out for the default", exit_code=WRONG_USAGE)
