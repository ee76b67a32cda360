"""`--version`, in the three lines that engines take apart."""

from hybrid_runtime import SPEC_VERSION, VERSION

_HERE = "/hybrid_runtime/command/version.py"


def commit() -> str:
    """Written beside the package when it is deployed from a checkout."""
    try:
        with open(f"{__file__.removesuffix(_HERE)}/COMMIT", encoding="utf-8") as source:
            return source.read().strip()
    except OSError:
        return "unknown"


def version_text() -> str:
    return f"hybrid-runtime version {VERSION}\ncommit: {commit()}\nspec: {SPEC_VERSION}\n"
