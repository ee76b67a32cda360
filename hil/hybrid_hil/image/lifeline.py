"""Runs a command that may not outlive its parent: `lifeline.py COMMAND…`, as the leader of a process group.

Standard input is the life line. When the parent closes it, or dies of anything, SIGKILL included, the whole
group is killed; PR_SET_PDEATHSIG would reach the command but none of its children. A program of its own, run
with `-IS`: it imports nothing of the rig.
"""

import os
import select
import signal
import subprocess
import sys


def keep(command: list[str]) -> int:
    """Runs `command` to its end and returns its exit status, 128 + N when signal N killed it."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:
        pidfd = os.pidfd_open(child.pid)
        readable, _, _ = select.select([sys.stdin.fileno(), pidfd], [], [])
        if pidfd not in readable:
            os.killpg(0, signal.SIGKILL)
        status = child.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    try:
        sys.exit(keep(sys.argv[1:]))
    except FileNotFoundError:
        sys.exit(127)
