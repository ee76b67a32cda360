"""What a person may have asked for in error."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from hybrid_hil.failure import RigError

WRONG_USAGE = 2
Choice = TypeVar("Choice")


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


def choice_named(name: str | None, choices: Mapping[str, Choice], usual: Choice, what: str) -> Choice:
    """The choice of that name, the usual one for None. `what` is what a choice is called.

    Raises:
        RigError: there is none.
    """
    if name is None:
        return usual
    if name not in choices:
        raise RigError(f"no {what} `{name}`", f"there are {', '.join(choices)}", exit_code=WRONG_USAGE)
    return choices[name]
