"""Commands, files and sockets of a board over SSH."""

from hybrid_hil.shell.connection import Address
from hybrid_hil.shell.remote_command import CommandError, Completed, ShellError
from hybrid_hil.shell.shell import Shell

__all__ = ["Address", "CommandError", "Completed", "Shell", "ShellError"]
