"""Changing the kernel command line in a compiled devicetree: nothing else can, since no loader patches it."""

import shutil
import subprocess
from pathlib import Path

from hybrid_hil.failure import RigError


def with_kernel_arguments(devicetree: Path, arguments: tuple[str, ...], target: Path) -> Path:
    """Copies `devicetree` to `target` with `arguments` added to /chosen's bootargs; later words win in Linux.

    Raises:
        RigError: fdtget or fdtput is missing or refuses.
    """
    shutil.copyfile(devicetree, target)
    target.chmod(0o600)
    now = _tool("fdtget", str(target), "/chosen", "bootargs").strip()
    _tool("fdtput", "-t", "s", str(target), "/chosen", "bootargs", " ".join([now, *arguments]))
    return target


def _tool(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        message = f"`{command[0]}` is not installed"
        raise RigError(message, "hil doctor shows what to install", exit_code=2) from None
    except subprocess.CalledProcessError as error:
        raise RigError(f"`{' '.join(command)}` failed: {error.stderr.strip()}") from error
