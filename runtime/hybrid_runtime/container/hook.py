"""Lifecycle hooks (OCI runtime spec, config.md, POSIX-platform Hooks): programs of the engine run around a container.

They are forked by the verbs, never by the supervisor, and get the state on standard input, exactly the environment
that config.json gives them, and none of our descriptors.
"""

import posix as os
from select import POLLIN, poll

from hybrid_runtime.container.record import Record
from hybrid_runtime.container.state import oci_state
from hybrid_runtime.container.status import STOPPED, Status
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.durable_file import write_all
from hybrid_runtime.failure import Failure, errno_meaning
from hybrid_runtime.json_text import write
from hybrid_runtime.path import is_folder
from hybrid_runtime.system_calls import restore_default_signals, signals

KINDS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
_TAIL_BYTES = 1024
# As lseek(2) counts them.
_SEEK_SET = 0
_CANNOT_RUN_CODE = 127
# pipe(7): what a pipe holds, so one read gets all that was said.
_PIPE_BYTES = 65536
# poll(2) takes milliseconds in an int.
_LONGEST_TIMEOUT_SECONDS = 1e6


class HookFailed(Failure):
    """The container cannot go on, and is destroyed."""


class Hook:
    """`timeout` in seconds, 0 for none. `path` is absolute, as the spec demands."""

    def __init__(self, path: str, args: list[str], environment: dict[str, str], timeout: float) -> None:
        self.path = path
        self.args = args
        self.environment = environment
        self.timeout = timeout


class Place:
    """Where a hook runs: in the network namespace of a process, with a folder as its root, or (0, "") beside us."""

    def __init__(self, network_of: int = 0, root: str = "") -> None:
        self.network_of = network_of
        self.root = root

    def enter(self) -> None:
        """In the hook's own process. Raises OSError."""
        if self.network_of:
            from hybrid_runtime.network_namespace import join_network

            join_network(f"/proc/{self.network_of}/ns/net")
        if self.root:
            os.chroot(self.root)
            os.chdir("/")


BESIDE_US = Place()


def parse_hooks(hooks: object) -> dict[str, list[Hook]]:
    """By kind, only kinds that have any. Raises ValueError saying what is wrong."""
    if not isinstance(hooks, dict):
        raise ValueError("hooks is not an object")
    unknown = sorted(kind for kind in hooks if kind not in KINDS)
    if unknown:
        raise ValueError(f"hooks has `{unknown[0]}`, known are {', '.join(KINDS)}")
    found = {}
    for kind in KINDS:
        entries = hooks.get(kind) or []
        if not isinstance(entries, list):
            raise ValueError(f"hooks.{kind} is not a list")
        if entries:
            found[kind] = [_parse_hook(kind, entry) for entry in entries]
    return found


def _parse_hook(kind: str, entry: object) -> Hook:
    if not isinstance(entry, dict):
        raise ValueError(f"hooks.{kind} has an entry that is not an object")
    path, timeout = entry.get("path"), entry.get("timeout")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError(f"hooks.{kind} has an entry whose path is not absolute")
    if timeout is not None and (type(timeout) is not int or timeout <= 0):
        raise ValueError(f"hooks.{kind} has an entry whose timeout is not a number of seconds above 0")
    args = _strings(kind, "args", entry.get("args"))
    environment = [text.partition("=") for text in _strings(kind, "env", entry.get("env"))]
    if not all(key and equals for key, equals, _ in environment):
        raise ValueError(f"hooks.{kind} has an entry whose env is not a list of KEY=VALUE")
    pairs = {key: value for key, _, value in environment}
    return Hook(path, args or [path], pairs, min(timeout or 0, _LONGEST_TIMEOUT_SECONDS))


def _strings(kind: str, field: str, value: object) -> list[str]:
    texts = value or []
    if not isinstance(texts, list) or any(not isinstance(text, str) or "\0" in text for text in texts):
        raise ValueError(f"hooks.{kind} has an entry whose {field} is not a list of strings")
    return texts


def run_hooks(
    kind: str, hooks: dict[str, list[Hook]], record: Record, status: Status, place: Place = BESIDE_US
) -> None:
    """In the listed order; the first that fails ends it. Raises HookFailed."""
    for hook in hooks.get(kind, ()):
        problem = run_hook(hook, oci_state(record, status), place)
        if problem:
            raise HookFailed(f"{kind} hook `{hook.path}` {problem}", "see the hook's own documentation and config.json")


def run_poststop_hooks(hooks: dict[str, list[Hook]], record: Record) -> list[str]:
    """What went wrong with those that failed. The container is gone, so nothing is held up by it (spec, Lifecycle)."""
    problems = []
    for hook in hooks.get("poststop", ()):
        problem = run_hook(hook, oci_state(record, STOPPED), BESIDE_US)
        if problem:
            problems.append(f"poststop hook `{hook.path}` {problem}")
    return problems


def run_hook(hook: Hook, state: dict[str, object], place: Place) -> str:
    """What went wrong, "" when nothing did. Killed with everything it started when the time is over."""
    stdin = os.memfd_create("state")
    write_all(stdin, write(state).encode())
    os.lseek(stdin, 0, _SEEK_SET)
    said, stderr = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(hook, place, str(state["bundle"]), stdin, stderr)
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


def _become(hook: Hook, place: Place, bundle: str, stdin: int, stderr: int) -> None:
    """In the new process: never returns."""
    try:
        os.setpgid(0, 0)
        restore_default_signals()
        os.dup2(stdin, 0)
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.dup2(stderr, 2)
        place.enter()
        if not place.root and is_folder(bundle):
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
                return _verdict(os.waitpid(pid, 0)[1], tail)
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


def _verdict(status: int, tail: bytes) -> str:
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return ""
    said = tail.decode("utf-8", "replace").strip()
    how = f"ended with code {code}" if code > 0 else f"was ended by signal {-code}"
    return f"{how}: {said}" if said else how
