"""The compilers of the image's programs, and the versions that end up in its hash."""

import subprocess
from functools import cache

from hybrid_hil.failure import RigError
from hybrid_hil.host import find_program
from hybrid_hil.image.diagnosis import missing_program

LINUX_PREFIX = "aarch64-linux-gnu-"
LINUX_COMPILER = f"{LINUX_PREFIX}gcc"
CORE_COMPILER = "arm-none-eabi-gcc"


@cache
def compiler_version(compiler: str) -> str:
    """What `compiler` says it is, such as `12.2.0`.

    Raises:
        RigError: it is not installed.
    """
    program = find_program(compiler)
    if program is None:
        raise RigError(f"this machine has no `{compiler}`", missing_program(compiler))
    done = subprocess.run([program, "-dumpfullversion"], check=True, capture_output=True, text=True)
    return done.stdout.strip()
