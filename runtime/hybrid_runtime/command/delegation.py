"""Pod sandboxes: what Kubernetes calls by the same handler as the firmware, and what a runtime for Linux must hold.

The container that stands for a pod is no firmware. It is created by the real runtime, under the same --root, and so is
every later verb for it. That folder tells whose a container is: nothing is remembered.
"""

import posix as os

from hybrid_runtime.container.store import OF_CRUN, OF_RUNC
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.path import is_file
from hybrid_runtime.system.settings import SANDBOX_RUNTIME, SETTINGS, read_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from hybrid_runtime.system.system_paths import SystemPaths

# Where packages put them; k3s brings its own.
RUNTIMES = (
    *("/usr/bin/runc", "/usr/sbin/runc", "/usr/local/bin/runc", "/usr/local/sbin/runc"),
    "/var/lib/rancher/k3s/data/current/bin/runc",
    *("/usr/bin/crun", "/usr/local/bin/crun"),
)
_OURS = "hybrid-runtime"
_ROOT_OPTION = "--root"
_OUR_OPTIONS = ("--processor", "--sysroot")


def find_runtime(system: "SystemPaths") -> str:
    """The path of the runtime for sandboxes: the one that is set, else the first one installed; "" for none.

    Raises Failure for settings that cannot be used.
    """
    configured = read_settings(system).sandbox_runtime
    if configured is not None:
        if configured and not is_file(system.path(configured)):
            raise Failure(
                f"`{system.path(SETTINGS)}`: {SANDBOX_RUNTIME} is `{configured}`, which is no file",
                'name runc or crun by its absolute path, or "" for none',
            )
        return system.path(configured) if configured else ""
    return next(iter(_installed(system)), "")


def _installed(system: "SystemPaths") -> list[str]:
    return [path for path in map(system.path, RUNTIMES) if is_file(path) and not _is_ours(path)]


def runtime_with(system: "SystemPaths", record: str) -> str:
    """The path of the runtime that keeps `record` in a container's folder. Sandboxes outlive a change of the settings,
    and packages that come and go, so the one for new sandboxes is only the first that is looked at.

    Raises Failure for settings that cannot be used.
    """
    usual = find_runtime(system)
    if not usual:
        return ""
    return next((path for path in (usual, *_installed(system)) if _keeps(path) == record), usual)


def _keeps(runtime: str) -> str:
    """By the name of the program."""
    return OF_CRUN if "crun" in runtime.rpartition("/")[2] else OF_RUNC


def _is_ours(path: str) -> bool:
    """The launcher of the shim puts this runtime in PATH under the name `runc`, and so may somebody else."""
    from hybrid_runtime.system.path import resolved

    return resolved(path).rpartition("/")[2] == _OURS


def create_sandbox(system: "SystemPaths", argv: list[str], root: str) -> "NoReturn":
    """This process becomes the real runtime. Raises Failure when there is none."""
    runtime = find_runtime(system)
    if not runtime:
        raise Failure(
            "a pod's sandbox is no firmware, and there is no runtime to hold it",
            f'install runc or crun, or set {{"{SANDBOX_RUNTIME}": "/path/of/runc"}} in {SETTINGS}',
        )
    become(runtime, argv, root)


def become(runtime: str, argv: list[str], root: str) -> "NoReturn":
    """`root` is the folder of all containers, which a caller that names none would get from each runtime differently.

    Raises Failure when it cannot be executed.
    """
    from hybrid_runtime.system.system_calls import restore_default_signals

    restore_default_signals()
    try:
        os.execv(runtime, [runtime, *their_words(argv, root)])
    except OSError as error:
        raise failed(f"cannot execute `{runtime}`", error, f"see {SANDBOX_RUNTIME} in {SETTINGS}") from error


def their_words(argv: list[str], root: str) -> list[str]:
    """The command line without what only this runtime knows, and with a root."""
    has_root = any(word.partition("=")[0] == _ROOT_OPTION for word in argv)
    words: list[str] = [] if has_root else [_ROOT_OPTION, root]
    skips_value = False
    for word in argv:
        if skips_value:
            skips_value = False
        elif word in _OUR_OPTIONS:
            skips_value = True
        elif word.partition("=")[0] not in _OUR_OPTIONS:
            words.append(word)
    return words
