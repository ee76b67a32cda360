"""The source checkout the rig works from."""

import os
from functools import cache
from pathlib import Path

from hybrid_hil.failure import RigError

CHECKOUT_VARIABLE = "HYBRID_CHECKOUT"
PARTS = ("qemu", "runtime", "buildroot")


def is_checkout(folder: Path) -> bool:
    return all((folder / part).is_dir() for part in PARTS)


@cache
def checkout_root() -> Path:
    """The folder with qemu/, runtime/ and buildroot/.

    HYBRID_CHECKOUT wins; then the checkout this package lies in; then the working directory and its parents.

    Raises:
        RigError: there is none.
    """
    named = os.environ.get(CHECKOUT_VARIABLE)
    if named is not None:
        if is_checkout(Path(named)):
            return Path(named).resolve()
        raise RigError(f"{CHECKOUT_VARIABLE} is `{named}`, which lacks {'/, '.join(PARTS)}/", "point it at a checkout")
    here = Path(__file__).resolve()
    working = Path.cwd()
    for folder in (*here.parents, working, *working.parents):
        if is_checkout(folder):
            return folder
    raise RigError(
        f"no checkout holds `{here}` or `{working}`",
        f"run hil inside a checkout of the sources, or set {CHECKOUT_VARIABLE} to one",
    )


def checkout_name() -> str:
    """The path of this checkout, by which boards are told from those of others; empty outside of any."""
    try:
        return str(checkout_root())
    except RigError:
        return ""
