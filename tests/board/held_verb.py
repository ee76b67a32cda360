"""A verb on the board that stands still as it enters one system call, by strace(1)."""

import shlex

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.shell import Shell
from tests.system_call_injection import Call, from_first_touch, recorded

TRACE = "/tmp/held.trace"
RECORD_S = 60.0
# Until the call is entered: a start under strace takes its time on an emulated core.
REACH_S = 30.0


def recorded_calls(shell: Shell, verb: str, *, of_pid: int | None = None) -> list[Call]:
    """The calls of a run without harm: of the verb itself from its first look at the containers on, or of the
    process it asks."""
    command = _in_silence(verb)
    if of_pid is None:
        shell.run(f"{strace([])} {command}", deadline=Deadline(RECORD_S))
    else:
        shell.run(f"{attached(of_pid, [])}\n{command}\nkill $!; wait", deadline=Deadline(RECORD_S))
    calls = recorded(shell.run(f"cat {TRACE}; rm {TRACE}").stdout)
    return from_first_touch(calls, "/run") if of_pid is None else calls


def hold(shell: Shell, verb: str, call: Call, seconds: float, *, of_pid: int | None = None) -> None:
    """Returns when the call is entered, so much before it is carried out."""
    command, options = _in_silence(verb), call.delayed(seconds)
    begun = f"{strace(options)} {command} &" if of_pid is None else f"{attached(of_pid, options)}\n{command} &"
    entered = f"$(grep -c '^{call.name}(' {TRACE} 2>/dev/null || true) -ge {call.number}"
    shell.run(f"rm -f {TRACE}\n{begun}\nuntil [ {entered} ]; do usleep 10000; done", deadline=Deadline(REACH_S))


def _in_silence(verb: str) -> str:
    return f"{DeployedRuntime.command} {verb} </dev/null >/dev/null 2>&1"


def strace(options: list[str]) -> str:
    return shlex.join(["strace", "-o", TRACE, *options])


def attached(pid: int, options: list[str]) -> str:
    """Shell text; strace is its last background job, and holds the process when it ends."""
    follow = f"{strace(options)} -p {pid} </dev/null >/dev/null 2>&1 &"
    return f"{follow}\nwhile grep -q '^TracerPid:.0$' /proc/{pid}/status; do usleep 10000; done"
