"""What the owner of the machine has decided: /etc/hybrid-runtime/config.json, read only where it matters."""

from hybrid_runtime.system.bounded_file import read_file
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.json_text import BadJSON, read_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.system.system_paths import SystemPaths

SETTINGS = "/etc/hybrid-runtime/config.json"
SANDBOX_RUNTIME = "sandbox-runtime"
REQUIRE_ALLOCATION = "require-allocation"
_KNOWN = (SANDBOX_RUNTIME, REQUIRE_ALLOCATION)
_LARGEST_BYTES = 64 * 1024


class Settings:
    """`sandbox_runtime` is an absolute path, "" for none at all, None when nothing is set."""

    def __init__(self, path: str, values: dict[str, object]) -> None:
        """Raises Failure. A misspelt one would not protect what it was meant to protect."""
        unknown = sorted(set(values) - set(_KNOWN))
        if unknown:
            raise Failure(f"`{path}`: `{unknown[0]}` is not known", f"known are {', '.join(_KNOWN)}")
        runtime, allocation = values.get(SANDBOX_RUNTIME), values.get(REQUIRE_ALLOCATION, False)
        if runtime is not None and (not isinstance(runtime, str) or (runtime and not runtime.startswith("/"))):
            raise Failure(
                f"`{path}`: {SANDBOX_RUNTIME} is `{runtime}`", 'name runc or crun by its absolute path, or "" for none'
            )
        if not isinstance(allocation, bool):
            raise Failure(f"`{path}`: {REQUIRE_ALLOCATION} is `{allocation}`", "it may be true or false")
        self.sandbox_runtime = runtime
        self.requires_allocation = allocation


def read_settings(system: "SystemPaths") -> Settings:
    """The usual ones when there is no file. Raises Failure."""
    path = system.path(SETTINGS)
    try:
        return Settings(path, read_object(read_file(path, _LARGEST_BYTES)))
    except FileNotFoundError:
        return Settings(path, {})
    except (OSError, BadJSON) as error:
        what = errno_meaning(error) if isinstance(error, OSError) else str(error)
        raise Failure(f"cannot read `{path}`: {what}", f'it holds {{"{SANDBOX_RUNTIME}": "/usr/bin/runc"}}') from error
