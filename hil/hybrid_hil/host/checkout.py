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

    HYBRID_CHECKOUT wins; then the checkout this package lies in; then the working directory and its parents; then
    the sources that a wheel carries.

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
    # Few have no checkout, and only they pay for what the cache loads.
    from hybrid_hil.host.packaged_checkout import packaged_checkout  # noqa: PLC0415

    packaged = packaged_checkout()
    if packaged is not None:
        return packaged
    raise RigError(
        f"no checkout holds `{here}` or `{working}`",
        f"run hil inside a checkout of the sources, or set {CHECKOUT_VARIABLE} to one",
    )


def checkout_with_tests() -> Path:
    """The root of a checkout that has the rig's own tests as well, which no wheel carries.

    Raises:
        RigError: it has none.
    """
    root = checkout_root()
    if not (root / "tests").is_dir():
        raise RigError(
            f"`{root}` has no tests: this needs a checkout of the sources",
            f"set {CHECKOUT_VARIABLE} to one, or run your own tests with pytest",
            exit_code=2,
        )
    return root


def checkout_name() -> str:
    """The path of this checkout, by which boards are told from those of others; empty outside of any."""
    try:
        return str(checkout_root())
    except RigError:
        return ""
