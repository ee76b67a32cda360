"""A board that is provisioned with something else than the checkout's runtime."""

from hybrid_hil.board import PowerSwitch, ShellAccess
from hybrid_hil.deadline import Deadline


def spoil_provision(board: PowerSwitch) -> None:
    """From the next boot on, a file of the runtime is changed once it is deployed."""
    deploying = board.provision
    assert deploying is not None

    def spoiling(board: ShellAccess, deadline: Deadline) -> None:
        deploying(board, deadline)
        board.shell.run("echo '# mine' >>/usr/lib/hybrid-runtime/hybrid_runtime/__init__.py")

    board.provision = spoiling
