"""A process without threads that forks for the tests. Workers of pytest-xdist have one that talks to their master, and
the double one that plays the kernel: what forks beside them may begin with a lock that nobody lets go of (fork(2)).
"""

import importlib
import json
import os
import pkgutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

MESSAGE_BYTES = 1 << 20
UNFORESEEN_CODE = 99


class ForkServer:
    """Runs verbs of the device's command, each in a fork of a process that has imported all of it: a tenth of the time
    of an interpreter's start."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        command = [sys.executable, __file__, str(theirs.fileno())]
        # beyond the reach of a terminal's Ctrl-C: it ends when nobody holds the channel any more
        self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, process_group=0)
        theirs.close()

    def run(self, arguments: Sequence[str], stdout: Path, stderr: Path) -> int:
        """The exit code of a verb, whose output goes to these files."""
        self._channel.send(json.dumps([arguments, str(stdout), str(stderr)]).encode())
        answer = self._channel.recv(MESSAGE_BYTES)
        assert answer, "the fork server died"
        return int(answer)

    def close(self) -> None:
        self._channel.close()
        self._process.wait()


def serve(channel: socket.socket) -> None:
    """Answers until nobody is left to ask."""
    import hybrid_runtime

    for module in pkgutil.walk_packages(hybrid_runtime.__path__, "hybrid_runtime."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    while request := channel.recv(MESSAGE_BYTES):
        pid = os.fork()
        if pid == 0:
            channel.close()
            live(*json.loads(request))
        channel.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


def live(arguments: list[str], stdout: str, stderr: str) -> None:
    """In the fork: never returns."""
    from hybrid_runtime.command.line import main

    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        for target, path in ((1, stdout), (2, stderr)):
            os.dup2(os.open(path, flags, 0o600), target)
        main(arguments)
    finally:
        # As the interpreter says it: main ends the process, so this is only reached by an exception.
        sys.__excepthook__(*sys.exc_info())
        sys.stderr.flush()
        os._exit(UNFORESEEN_CODE)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
