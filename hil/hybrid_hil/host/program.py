"""Programs of this machine: where they are, and what they say of themselves."""

import os
import shutil
import subprocess

# Debian leaves these out of the PATH of everybody but root; mke2fs and debugfs are there.
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def find_program(name: str) -> str | None:
    """The path of `name`, looked for in PATH and then where only root looks."""
    return shutil.which(name) or shutil.which(name, path=":".join(SYSTEM_FOLDERS))


def output_of(command: list[str]) -> str:
    """What a command prints on either stream; its exit status does not matter here."""
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    return done.stdout + done.stderr
