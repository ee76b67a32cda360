"""SIGKILL of each verb as it enters one system call after the other, with a real kernel and a real core.

The kernel stops the core of a supervisor that dies; everything else is undone by the next verb. A handful of calls by
default, every tenth with --thorough: strace(1) takes its time on an emulated board.
"""

import shlex

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Linux
from tests.night import at_night
from tests.system_call_injection import Call, evenly, from_first_touch, recorded, telling

POINTS = 4
POINT_S = 30.0
ROOT = "/run/hybrid-runtime"
CREATE = "create --pid-file /tmp/dying.pid --annotation remoteproc.name={processor} {path} dying"
# What is there before, and the verb that dies.
SCENES = {
    "create": ((), CREATE),
    "start": ((CREATE,), "start dying"),
    "kill TERM": ((CREATE, "start dying"), "kill dying TERM"),
    "kill KILL": ((CREATE, "start dying"), "kill dying KILL"),
    "delete created": ((CREATE,), "delete dying"),
    "delete --force": ((CREATE, "start dying"), "delete --force dying"),
    "logs": ((CREATE, "start dying"), "logs dying"),
}
BY_DAY = ("create", "delete --force")

# Each prints what is wrong: `up`, that a core is up although no process of a container lives; `left`, what is there
# although no container is. `within`: whether that ends before long, as the kernel and a supervisor do their part.
FUNCTIONS = """
living() {{ ls -l /proc/[0-9]*/exe 2>/dev/null | grep -q python; }}
up() {{ read -r s < {state}; [ "$s" = offline ] || living || echo up; }}
left() {{
  ls -A {root} 2>/dev/null | grep -v '^~lock$'
  ls /run/hybrid-runtime-claims | grep journal
  ls -A /lib/firmware
  ls /tmp/dying.pid.* 2>/dev/null
  read -r s < {state}; [ "$s" = offline ] || echo "core $s"
  ! living || echo "a process"
}}
within() {{
  n=0
  while [ -n "$($1)" ]; do n=$((n + 1)); [ $n -lt 100 ] || return 1; usleep 30000; done
}}
dies() {{
  {prepare}
  strace -o /dev/null -e trace=$1 -e inject=$1:signal=SIGKILL:when=$2 {verb} < /dev/null > /dev/null 2>&1
  code=$?
  [ $code = 137 ] && killed=$((killed + 1)) || [ $code = 0 ] || echo "$1 $2: code $code"
  within up || echo "$1 $2: the core runs without its container"
  {command} delete --force dying > /tmp/dying.said 2>&1 || echo "$1 $2: $(cat /tmp/dying.said)"
  rm -f /tmp/dying.pid /tmp/dying.said
  within left || echo "$1 $2: left:" $(left)
}}
killed=0
"""


def script_of(scene: str, linux: Linux, processor: str, path: str, points: list[Call]) -> str:
    before, verb = SCENES[scene]
    command = DeployedRuntime.command

    def filled(words: str) -> str:
        return f"{command} {words.format(processor=shlex.quote(processor), path=shlex.quote(path))}"

    functions = FUNCTIONS.format(
        state=f"/sys/class/remoteproc/{linux.devices[processor]}/state",
        root=ROOT,
        command=command,
        prepare="; ".join(f"{filled(words)} > /dev/null 2>&1 || echo '{words} failed'" for words in before) or ":",
        verb=filled(verb),
    )
    return functions + "".join(f"dies {call.name} {call.number}\n" for call in points) + "echo killed $killed\n"


def calls_of(shell: Shell, scene: str, linux: Linux, processor: str, path: str) -> list[Call]:
    """Of a run without harm, from the first look at the containers' folder on."""
    script = script_of(scene, linux, processor, path, [])
    verb = SCENES[scene][1].format(processor=processor, path=path)
    prepare = "".join(
        f"{DeployedRuntime.command} {words.format(processor=processor, path=path)} >/dev/null 2>&1 || exit 9\n"
        for words in SCENES[scene][0]
    )
    traced = f"strace -o /tmp/dying.trace {DeployedRuntime.command} {verb} </dev/null >/dev/null 2>&1 || exit 8\n"
    shell.run(f"{script}{prepare}{traced}{DeployedRuntime.command} delete --force dying", deadline=Deadline(60.0))
    trace = shell.run(["cat", "/tmp/dying.trace"]).stdout
    shell.run(["rm", "-f", "/tmp/dying.trace", "/tmp/dying.pid"])
    return from_first_touch(recorded(trace), "/run")


@pytest.mark.parametrize("scene", [*BY_DAY, *at_night(*(scene for scene in SCENES if scene not in BY_DAY))])
def test_killed(shell: Shell, firmware: FirmwareMaker, linux: Linux, scene: str, thorough: bool) -> None:
    hello = firmware("hello")
    calls = calls_of(shell, scene, linux, hello.processor, hello.path_on_board)
    chosen = evenly(calls, max(POINTS, len(calls) // 10)) if thorough else evenly(telling(calls), POINTS)
    script = script_of(scene, linux, hello.processor, hello.path_on_board, chosen)
    *broken, killed = shell.run(script, deadline=Deadline(POINT_S * len(chosen))).stdout.splitlines()
    print(f"{scene}: {killed} at {len(chosen)} of {len(calls)} calls")
    assert broken == []
    # A call that does not come again in the same number is none to die at.
    assert int(killed.split()[1]) >= len(chosen) * 0.7
    linux.assert_untouched()
