"""The connection breaks: verbs come to their end all the same, and nobody follows logs for ever.

About 40 s: in the middle of each verb, at twenty of its calls with --thorough.
"""

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.faults import Faults
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.board.held_verb import recorded_calls, strace
from tests.linux import Alive, AllIsWell
from tests.night import at_night
from tests.system_call_injection import evenly

PROOF_S = 10.0
END_S = 20.0
HELD_S = 1.5
STATUS_AFTER = {"create": "created", "start": "running", "delete --force": ""}


def wait_for_the_end_of(shell: Shell, processes: str) -> None:
    """Until `processes`, shell text that prints their ids, prints none any more."""
    shell.run(f'while [ -n "$({processes})" ]; do usleep 50000; done', deadline=Deadline(END_S))


def begin(shell: Shell, command: str) -> None:
    """As a person does who looks on: what it says goes through the connection."""
    channel = shell.open_channel(Deadline(PROOF_S))
    channel.exec_command(shell.as_root(command))


@pytest.mark.parametrize("verb", ["create", *at_night("start", "delete --force")])
def test_in_the_middle_of_a_verb(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    faults: Faults,
    all_is_well: AllIsWell,
    thorough: bool,
    verb: str,
) -> None:
    heartbeat = firmware("heartbeat")
    create = f"create --annotation remoteproc.name={heartbeat.processor} {heartbeat.path_on_board} lost"
    words = create if verb == "create" else f"{verb} lost"

    def prepare() -> None:
        if verb != "create":
            runtime.create("lost", heartbeat)
        if verb == "delete --force":
            runtime.start("lost")

    prepare()
    calls = recorded_calls(shell, words)
    runtime.delete("lost", force=True)
    for call in evenly(calls, 20 if thorough else 1):
        prepare()
        begin(shell, f"{strace(call.delayed(HELD_S))} {runtime.command} {words}")
        shell.run("until pidof strace >/dev/null; do usleep 10000; done")
        with faults.lose_ssh():
            pass
        wait_for_the_end_of(shell, "pidof strace")
        assert runtime.run("list", "-q").stdout == ("lost\n" if STATUS_AFTER[verb] else ""), call
        if STATUS_AFTER[verb]:
            assert runtime.state("lost")["status"] == STATUS_AFTER[verb], call
        if verb == "start":
            witness.started(heartbeat, Deadline(PROOF_S))
            witness.beating(heartbeat, Deadline(PROOF_S))
        runtime.delete("lost", force=True)
    all_is_well()


@pytest.mark.parametrize("name", ["heartbeat", "hello"])
def test_while_logs_are_followed(
    *,
    alive: Alive,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    witness: Witness,
    faults: Faults,
    all_is_well: AllIsWell,
    name: str,
) -> None:
    """Also of a firmware that says nothing more: there is no write(2) that could find the reader gone."""
    followed = firmware(name)
    alive("followed", followed)
    supervisor = runtime.state("followed")["pid"]
    others = f"pidof python3 | tr ' ' '\\n' | grep -v '^{supervisor}$'"
    begin(shell, f"{runtime.command} logs -f followed")
    shell.run(f'until [ -n "$({others})" ]; do usleep 10000; done')
    with faults.lose_ssh():
        pass
    wait_for_the_end_of(shell, others)
    assert runtime.state("followed")["status"] == "running"
    if name == "heartbeat":
        witness.beating(followed, Deadline(PROOF_S))
    runtime.delete("followed", force=True)
    all_is_well()
