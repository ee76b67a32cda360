"""Running lifecycle hooks, programs that an engine wants around a container.

They are forked by the verbs, never by the supervisor, and get the state on standard input, exactly the environment
that config.json gives them, and none of our descriptors.
"""

import posix as os
from select import POLLIN, poll

from hybrid_runtime.bundle.bundle import Bundle
from hybrid_runtime.bundle.hook import Hook
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.state import oci_state
from hybrid_runtime.container.status import STOPPED, Status
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.durable_file import write_all
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.json_text import write
from hybrid_runtime.system.path import is_folder
from hybrid_runtime.system.system_calls import restore_default_signals, signals

_TAIL_BYTES = 1024
# As lseek(2) counts them.
_SEEK_SET = 0
_CANNOT_RUN_CODE = 127
# pipe(7): what a pipe holds, so one read gets all that was said.
_PIPE_BYTES = 65536


class HookFailed(Failure):
    """The container cannot go on, and is destroyed."""


def run_hooks(kind: str, bundle: Bundle, record: Record, status: Status, network_of: int = 0) -> None:
    """In the listed order; the first that fails ends it. Raises HookFailed."""
    for hook in bundle.hooks.get(kind, ()):
        problem = run_hook(hook, oci_state(record, status, bundle.annotations), network_of)
        if problem:
            raise HookFailed(f"{kind} hook `{hook.path}` {problem}", "see the hook's own documentation and config.json")


def run_poststop_hooks(bundle: Bundle, record: Record) -> list[str]:
    """What went wrong with those that failed. The container is gone, so nothing is held up by it (spec, Lifecycle)."""
    problems = []
    for hook in bundle.hooks.get("poststop", ()):
        problem = run_hook(hook, oci_state(record, STOPPED, bundle.annotations))
        if problem:
            problems.append(f"poststop hook `{hook.path}` {problem}")
    return problems


def run_hook(hook: Hook, state: dict[str, object], network_of: int = 0) -> str:
    """What went wrong, "" when nothing did. Killed with everything it started when the time is over.

    In the network namespace of the process `network_of`, 0 for our own; else in our namespaces (spec, config.md).
    """
    stdin = os.memfd_create("state")
    write_all(stdin, write(state).encode())
    os.lseek(stdin, 0, _SEEK_SET)
    said, stderr = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(hook, network_of, str(state["bundle"]), stdin, stderr)
    os.close(stdin)
    os.close(stderr)
    try:
        # By both sides, so that it is done when either goes on.
        os.setpgid(pid, pid)
    except (PermissionError, ProcessLookupError):
        # It has done so itself and gone on.
        pass
    try:
        return _wait(hook, pid, said)
    finally:
        os.close(said)


def _become(hook: Hook, network_of: int, bundle: str, stdin: int, stderr: int) -> None:
    """In the new process: never returns."""
    try:
        os.setpgid(0, 0)
        restore_default_signals()
        os.dup2(stdin, 0)
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.dup2(stderr, 2)
        if network_of:
            from hybrid_runtime.system.network_namespace import join_network

            join_network(f"/proc/{network_of}/ns/net")
        if is_folder(bundle):
            os.chdir(bundle)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        os.execve(hook.path, hook.args, hook.environment)
    except (OSError, ValueError) as error:
        reason = errno_meaning(error) if isinstance(error, OSError) else str(error)
        os.write(2, f"cannot be run: {reason}".encode("utf-8", "replace"))
    finally:
        os._exit(_CANNOT_RUN_CODE)


def _wait(hook: Hook, pid: int, said: int) -> str:
    deadline = Deadline(hook.timeout) if hook.timeout else None
    process = os.pidfd_open(pid)
    tail = b""
    waiting = poll()
    waiting.register(process, POLLIN)
    waiting.register(said, POLLIN)
    try:
        while deadline is None or not deadline.expired:
            ready = [descriptor for descriptor, _ in waiting.poll(deadline.remaining() * 1000 if deadline else None)]
            if said in ready:
                text = os.read(said, _PIPE_BYTES)
                tail = (tail + text)[-_TAIL_BYTES:]
                if not text:
                    waiting.unregister(said)
            if process in ready:
                # What it left running may keep the pipe open, and is the hook's own affair.
                return _problem(os.waitpid(pid, 0)[1], tail)
        _put_away(pid)
        return f"was killed: it took longer than its timeout of {hook.timeout:g} s"
    except KeyboardInterrupt:
        _put_away(pid)
        raise
    finally:
        os.close(process)


def _put_away(pid: int) -> None:
    """The hook and everything in its process group."""
    os.killpg(pid, signals.SIGKILL)
    os.waitpid(pid, 0)


def _problem(status: int, tail: bytes) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return ""
    said = tail.decode("utf-8", "replace").strip()
    how = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
    return f"{how}: {said}" if said else how
