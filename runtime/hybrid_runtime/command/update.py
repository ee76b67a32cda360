"""`update`: acknowledged. Engines call it for limits of every kind, and a core has none that could be changed."""

import posix as os

from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.system.failure import failed

_CHUNK = 1 << 16


def run(context: Context, values: Values) -> int:
    resources = values.get("resources")
    if resources == "-":
        _read_to_its_end(0)
    elif resources:
        _require_readable(resources)
    identifier = values.arguments[0]
    context.store.load(identifier)
    context.report("info", f"update of container `{identifier}` changes nothing: a core has no limits to set")
    return 0


def _read_to_its_end(descriptor: int) -> None:
    """Who writes resources into a pipe must not find it closed."""
    try:
        while os.read(descriptor, _CHUNK):
            pass
    except OSError:
        return


def _require_readable(path: str) -> None:
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except OSError as error:
        raise failed(f"cannot read --resources `{path}`", error, "name a file, or `-` for standard input") from error
