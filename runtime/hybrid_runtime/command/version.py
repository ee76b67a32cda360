"""`--version`, in the three lines that engines take apart."""

import os

from hybrid_runtime import SPEC_VERSION, VERSION


def commit() -> str:
    """Written beside the package when it is deployed from a checkout."""
    try:
        with open(
            os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(__file__))), "COMMIT"),
            encoding="ascii",
        ) as source:
            return source.read().strip()
    except OSError:
        return "unknown"


def version_text() -> str:
    return f"hybrid-runtime version {VERSION}\ncommit: {commit()}\nspec: {SPEC_VERSION}\n"
