"""SIGKILL of a supervisor as it enters one system call after the other: while it starts the core, at its orderly end,
and while it deals with a crash. Once in each third of what it does by default, about 50 s; in as many parts as a fourth
of its calls with --thorough."""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.board.held_verb import TRACE, attached
from tests.linux import AllIsWell, Linux
from tests.night import at_night
from tests.system_call_injection import Call, evenly, parted, recorded, telling

PARTS = 3
# How many calls of a part are tried: one that does not come again in the same number is none to die at, and how often a
# supervisor looks around depends on the time it takes.
TRIES = 4
EVENT_S = 60.0
# What it has done at a start by the time it answers, and otherwise at its end.
EVENTS = {
    "start": "{runtime} start dying </dev/null >/dev/null 2>&1",
    "stop": "{runtime} kill dying; while [ -e /proc/{pid}/exe ]; do usleep 10000; done",
    "crash": "echo 1 >/sys/kernel/debug/remoteproc/{device}/crash; while [ -e /proc/{pid}/exe ]; do usleep 10000; done",
}


class Dying:
    """Containers that are there for one death each."""

    def __init__(self, runtime: DeployedRuntime, shell: Shell, linux: Linux, event: str) -> None:
        self.runtime = runtime
        self.shell = shell
        self.linux = linux
        self.event = event

    def trace(self, path: str, processor: str, options: list[str]) -> str:
        """What strace has to say of the supervisor from the event on."""
        self.runtime.create("dying", path, processor=processor)
        if self.event != "start":
            self.runtime.start("dying")
        pid = self.runtime.state("dying")["pid"]
        event = EVENTS[self.event].format(runtime=self.runtime.command, pid=pid, device=self.linux.devices[processor])
        # strace ends with its process, and last of all writes how that one ended.
        let_go = f"[ ! -e /proc/{pid}/exe ] || kill $!"
        script = f"rm -f {TRACE}\n{attached(pid, options)}\n{event}\n{let_go}; wait"
        self.shell.run(script, deadline=Deadline(EVENT_S))
        return self.shell.run(["cat", TRACE]).stdout

    def killed_at(self, firmware: BuiltFirmware, call: Call) -> bool:
        """Whether it came to that call and died; nothing is left of it either way."""
        trace = self.trace(firmware.path_on_board, firmware.processor, call.killing())
        died = "+++ killed by SIGKILL +++" in trace
        if died:
            self.wait_until_the_core_is_off(firmware.processor, call)
            assert self.runtime.state("dying")["status"] == "stopped", call
        self.runtime.delete("dying", force=True)
        self.linux.assert_untouched()
        return died

    def wait_until_the_core_is_off(self, processor: str, call: Call) -> None:
        """Or crashed: such a core the kernel does not stop when its device is closed (rproc_cdev_release), so that is
        left to the next verb."""
        down = ("offline", "crashed") if self.event == "crash" else ("offline",)
        deadline = Deadline(5.0)
        while self.linux.attribute(processor, "state") not in down and not deadline.expired:
            continue
        assert self.linux.attribute(processor, "state") in down, f"the core runs without its container: {call}"


@pytest.mark.parametrize("event", [*at_night("start"), "stop", "crash"])
def test_killed(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    all_is_well: AllIsWell,
    thorough: bool,
    event: str,
) -> None:
    hello = firmware("hello")
    dying = Dying(runtime, shell, linux, event)
    recording = recorded(dying.trace(hello.path_on_board, hello.processor, []))
    runtime.delete("dying", force=True)
    # How often it looks at a file differs from run to run, by how busy the board is; what it does hardly.
    calls = recording if thorough else telling(recording)
    parts = parted(calls, len(calls) // 4 if thorough else PARTS)
    killed = 0
    for part in parts:
        killed += any(dying.killed_at(hello, call) for call in evenly(part, TRIES))
    print(f"{event}: killed in {killed} of {len(parts)} parts of its {len(calls)} calls")
    # A part of few calls may have none that comes again.
    assert killed >= (0.6 if thorough else 1.0) * len(parts)
    shell.run(["rm", TRACE])
    all_is_well()
