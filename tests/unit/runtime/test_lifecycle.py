"""Containers from create to delete, in processes of their own, on a double of the kernel's files."""

import hashlib
import json
import os
import signal
import subprocess
from pathlib import Path
from time import sleep

import pytest

from tests.elf_builder import build_elf
from tests.unit.runtime.altered_launcher import altered
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


def test_whole_life(command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    created = command.state("motor")
    assert (created["status"], created["pid"], created["id"]) == ("created", pid, "motor")
    assert created["annotations"]["remoteproc.resolved-path"] == str(core.folder)
    assert core.boots == []

    command.run("start", "motor")
    assert command.status("motor") == "running"
    assert core.boots == double.installed()
    assert (double.firmware_folder / core.boots[0]).read_bytes() == firmware.read_bytes()
    assert core.read("recovery") == "disabled"

    core.print(b"core0 hello boot=1\ncore0 hello: line 2\n")
    eventually(lambda: "line 2" in command.run("logs", "motor").stdout)
    assert command.run("logs", "motor").stdout == "core0 hello boot=1\ncore0 hello: line 2\n"

    command.run("kill", "motor")
    assert command.exit_code(pid) == 0
    stopped = command.state("motor")
    assert (stopped["status"], stopped["pid"]) == ("stopped", 0)
    assert stopped["annotations"]["remoteproc.exit-code"] == "0"
    assert core.state == "offline"
    assert core.read("recovery") == "enabled"
    assert double.installed() == double.journals() == []

    command.run("delete", "motor")
    assert double.leftovers() == []
    assert "container does not exist" in command.run("state", "motor", code=1).stderr


def test_bundle_keeps_the_streams_it_was_given(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware)
    pid_file = tmp_path / "pid"
    outcome = command.run("create", "--bundle", bundle, "--pid-file", pid_file, "motor")
    pid = int(pid_file.read_text())
    state = command.state("motor")
    assert state["pid"] == pid
    assert state["bundle"] == str(bundle)
    assert state["annotations"]["vendor.note"] == "kept"
    command.run("start", "motor")
    core.print(b"one\ntwo without an end")
    eventually(lambda: "one\n" in outcome.stdout)
    command.run("kill", "motor", "15")
    assert command.exit_code(pid) == 0
    assert outcome.stdout == "one\ntwo without an end\n"
    assert "hybrid-runtime: started" in outcome.stderr
    assert outcome.stderr.endswith("hybrid-runtime: stopped, exit code 0\n")
    command.run("delete", "motor")


def test_relative_bundle_is_kept_absolute(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware)
    command.run("create", "-b", "bundle", "motor", cwd=tmp_path)
    assert command.state("motor")["bundle"] == str(bundle)
    assert core.state == "offline"


def test_container_without_process_is_created_and_not_started(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware, process=None)
    pid_file = tmp_path / "pid"
    command.run("create", "-b", bundle, "--pid-file", pid_file, "motor")
    assert "has no process" in command.run("start", "motor", code=1).stderr
    assert command.exit_code(int(pid_file.read_text())) == 72
    assert core.boots == []
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_failed_start_leaves_a_dead_process(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    core.refuses_to_start = True
    outcome = command.run("start", "motor", code=1)
    assert "offline after a start" in outcome.stderr
    # Dead already, only not reaped: an engine could not remove the container otherwise.
    assert command.status("motor") == "stopped"
    assert command.exit_code(pid, 0) == 72
    assert double.installed() == double.journals() == []
    assert core.read("recovery") == "enabled"
    command.run("delete", "motor")


def test_second_container_on_a_held_processor(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    command.create(firmware, "motor")
    before = (double.installed(), double.journals())
    outcome = command.run("create", firmware, "other", code=1)
    assert "`core0` (remoteproc0) is held by container `motor`" in outcome.stderr
    assert double.containers() == ["motor"]
    assert (double.installed(), double.journals()) == before
    command.run("start", "motor")
    assert core.state == "running"


def test_two_processors_two_containers(command: Command, double: RemoteprocDouble, firmware: Path) -> None:
    first, second = double.add("core0"), double.add("core1")
    ambiguous = command.run("create", firmware, "x", code=1).stderr
    assert "`core0` (remoteproc0), `core1` (remoteproc1)" in ambiguous
    command.create(firmware, "a", annotations={"remoteproc.name": "core0"})
    command.create(firmware, "b", annotations={"remoteproc.device": "remoteproc1"})
    command.run("start", "b")
    assert (first.state, second.state) == ("offline", "running")
    listing = json.loads(command.run("processors", "-f", "json").stdout)
    assert [(entry["name"], entry["state"], entry["container"]) for entry in listing] == [
        ("core0", "offline", "a"),
        ("core1", "running", "b"),
    ]
    table = command.run("processors").stdout.splitlines()
    assert table[0].split() == ["DEVICE", "NAME", "STATE", "FIRMWARE", "CONTAINER"]
    assert table[2].split()[:3] == ["remoteproc1", "core1", "running"]


def test_existing_id_is_refused(command: Command, double: RemoteprocDouble, firmware: Path) -> None:
    double.add("core0")
    double.add("core1")
    pid = command.create(firmware, "motor", annotations={"remoteproc.name": "core0"})
    outcome = command.run("create", "--annotation", "remoteproc.name=core1", firmware, "motor", code=1)
    assert "container `motor` already exists" in outcome.stderr
    assert command.state("motor")["pid"] == pid
    assert double.journals() == ["remoteproc0.journal"]


def test_delete_from_created_ends_the_process(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    command.run("delete", "motor")
    assert command.exit_code(pid, 0) == 137
    assert double.leftovers() == []
    assert core.boots == []


def test_delete_of_a_running_container_needs_force(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    assert "container `motor` is running" in command.run("delete", "motor", code=1).stderr
    command.run("delete", "--force=false", "motor", code=1)
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid, 0) == 137
    assert core.state == "offline"
    assert double.leftovers() == []
    quiet = command.run("delete", "--force", "motor")
    assert quiet.stdout == quiet.stderr == ""
    assert "container does not exist" in command.run("delete", "motor", code=1).stderr


def test_kill_of_a_created_container_then_start(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    command.run("kill", "motor", "TERM")
    assert command.exit_code(pid) == 0
    assert "is stopped" in command.run("start", "motor", code=1).stderr
    assert command.run("kill", "motor", code=1).stderr == "hybrid-runtime: container not running\n"
    assert core.boots == []


def test_second_start_is_refused(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    command.create(firmware, "motor")
    command.run("start", "motor")
    assert "is running" in command.run("start", "motor", code=1).stderr
    assert core.references == 1
    assert command.status("motor") == "running"


@pytest.mark.parametrize("name", ["12", "USR2", "sigusr1", "SIGPIPE", "CONT"])
def test_signals_that_stop_nothing(command: Command, core: ProcessorDouble, firmware: Path, name: str) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    command.run("kill", "--all", "motor", name)
    core.print(b"still here\n")
    eventually(lambda: "still here" in command.run("logs", "motor").stdout)
    assert command.state("motor")["pid"] == pid


@pytest.mark.parametrize("name", ["INT", "QUIT", "HUP"])
def test_signals_that_stop_orderly(command: Command, core: ProcessorDouble, firmware: Path, name: str) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    command.run("kill", "motor", name)
    assert command.exit_code(pid) == 0
    assert core.state == "offline"


def test_orderly_stop_gives_every_reference_back(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    core.start_from_outside()
    core.start_from_outside()
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0
    assert (core.state, core.stops) == ("offline", 3)


def test_kill_kill_stops_the_core_and_gives_back(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    core.start_from_outside()
    command.run("kill", "motor", "KILL")
    assert command.exit_code(pid, 0) == 137
    assert core.state == "offline"
    assert core.read("recovery") == "enabled"
    assert command.state("motor")["annotations"]["remoteproc.exit-code"] == "137"
    assert double.installed() == double.journals() == []


def test_recycled_pid_is_not_signalled(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    os.kill(pid, signal.SIGKILL)
    command.exit_code(pid)
    with subprocess.Popen(["/usr/bin/sleep", "60"]) as bystander:
        # As if the pid had come to belong to another process.
        path = command.double.root / "motor/record.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"pid": bystander.pid}))
        # There is something left to end: what the dead one has journaled.
        command.run("kill", "motor", "KILL")
        assert command.double.journals() == command.double.installed() == []
        assert command.run("kill", "motor", "KILL", code=1).stderr == "hybrid-runtime: container not running\n"
        assert command.status("motor") == "stopped"
        command.run("delete", "--force", "motor")
        assert bystander.poll() is None
        bystander.kill()
    assert core.state == "offline"


def test_firmware_of_another_digest_is_refused(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    digest = f"remoteproc.firmware.sha256={'0' * 64}"
    assert "sha256" in command.run("create", "--annotation", digest, firmware, "motor", code=1).stderr
    assert double.leftovers() == []
    assert core.boots == []


@pytest.mark.parametrize("state", ["running", "crashed", "attached", "detached", "suspended", "invalid"])
def test_processor_in_use_is_refused(command: Command, double: RemoteprocDouble, firmware: Path, state: str) -> None:
    core = double.add("core0", state=state)
    assert "processor `core0` (remoteproc0)" in command.run("create", firmware, "motor", code=1).stderr
    assert double.leftovers() == []
    assert core.read("state") == state


def test_read_only_processor_is_refused(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    core.make_read_only()
    assert "is read-only" in command.run("create", firmware, "motor", code=1).stderr
    assert double.leftovers() == []


def test_unwritable_pid_file_leaves_nothing(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    outcome = command.run("create", "--pid-file", tmp_path / "absent/pid", firmware, "motor", code=1)
    assert "cannot write --pid-file" in outcome.stderr
    assert double.leftovers() == []
    assert core.boots == []


def test_malformed_firmware_leaves_nothing(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, tmp_path: Path
) -> None:
    firmware = tmp_path / "x.elf"
    firmware.write_bytes(build_elf()[:100])
    assert "truncated" in command.run("create", firmware, "motor", code=1).stderr
    assert double.leftovers() == []
    command.create(firmware, "motor", annotations={"remoteproc.format": "raw"})
    assert core.boots == []


def overtaken(command: Command, name: str, firmware: Path, *, before: bool) -> Command:
    """Another program overwrites the image's file as `name` of create's is called, or the moment it has returned."""
    lines = f"""
import hybrid_runtime.lifecycle.creation as create
function = create.{name}
def overwrite():
    with open({str(firmware)!r}, "wb") as target:
        target.write({build_elf(wide=True)!r})
def overtaken(*args):
    if {before}:
        overwrite()
    result = function(*args)
    if not {before}:
        overwrite()
    return result
create.{name} = overtaken
"""
    return Command(altered(command.launcher, f"overtaken-{os.getpid()}", lines), command.double, command.folder)


@pytest.mark.parametrize("checked_by", ["check_elf", "sha256"])
def test_what_was_checked_is_installed(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, checked_by: str
) -> None:
    """The file of the image changes the moment its content has been looked at."""
    good = firmware.read_bytes()
    digest = hashlib.sha256(good).hexdigest()
    late = overtaken(command, checked_by, firmware, before=False)
    late.run("create", "--annotation", f"remoteproc.firmware.sha256={digest}", firmware, "motor")
    assert firmware.read_bytes() == build_elf(wide=True)
    [installed] = double.installed()
    assert (double.firmware_folder / installed).read_bytes() == good
    assert core.boots == []


def test_a_firmware_overwritten_before_it_is_copied_is_refused(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    digest = hashlib.sha256(firmware.read_bytes()).hexdigest()
    early = overtaken(command, "install", firmware, before=True)
    outcome = early.run("create", "--annotation", f"remoteproc.firmware.sha256={digest}", firmware, "motor", code=1)
    assert "sha256" in outcome.stderr
    assert double.leftovers() == []
    assert core.boots == []


@pytest.mark.parametrize("argument", ["motor.elf", "./motor.elf", "../fw/motor.elf"])
def test_a_firmware_below_the_working_folder(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path, argument: str
) -> None:
    """WORKDIR /fw with CMD ["motor.elf"], and `run -w /fw`."""
    bundle = write_bundle(tmp_path / "bundle", firmware, process={"cwd": "/fw", "args": [argument]})
    (bundle / "rootfs/fw").mkdir()
    (bundle / "rootfs/fw/motor.elf").write_bytes(build_elf(wide=True))
    command.run("create", "-b", bundle, "motor")
    [installed] = double.installed()
    assert installed.startswith("motor.elf-")
    assert (double.firmware_folder / installed).read_bytes() == build_elf(wide=True)
    command.run("start", "motor")
    assert core.state == "running"


def test_firmware_without_resource_table_is_warned_of(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    firmware.write_bytes(build_elf(sections=(".text",)))
    assert "warning: the firmware has no .resource_table" in command.run("create", firmware, "motor").stderr
    command.run("start", "motor")
    assert core.state == "running"


@pytest.mark.parametrize("uid", [0, 1000])
def test_a_user_of_linux_is_warned_of(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, uid: int
) -> None:
    """runAsUser and runAsNonRoot of a pod come to this, and would keep a program from much."""
    process = {"cwd": "/", "args": ["/fw.elf"], "user": {"uid": uid, "gid": uid}}
    said = command.run("create", "-b", write_bundle(tmp_path / "b", firmware, process=process), "motor").stderr
    assert ("warning: user `1000` is asked for, and a core has no users" in said) is (uid == 1000)
    command.run("start", "motor")
    assert core.state == "running"


def test_names_that_would_cut_the_attribute(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "modem.bin\n a\\é"
    odd.write_bytes(firmware.read_bytes())
    command.create(odd, "motor")
    command.run("start", "motor")
    assert core.boots[0].startswith("modem.bin__a__-")


def test_logs_follow_until_the_end(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    process, outcome = command.spawn("logs", "-f", "motor")
    core.print(b"first\n")
    eventually(lambda: outcome.stdout == "first\n")
    core.print(b"second\n")
    eventually(lambda: outcome.stdout == "first\nsecond\n")
    command.run("kill", "motor")
    assert process.wait(10) == 0
    command.exit_code(pid)
    assert "exit code 0" in outcome.stderr
    assert command.run("logs", "-n", "1", "motor").stdout == ""
    assert command.run("logs", "--tail", "3", "-t", "motor").stdout.count("Z ") == 2


def test_record_that_is_damaged(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    (double.root / "motor/record.json").write_text("{")
    for verb in ("state", "start", "kill", "delete", "logs"):
        assert "record of container `motor` is damaged" in command.run(verb, "motor", code=1).stderr
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid, 0) == 137
    assert core.state == "offline"
    assert double.leftovers() == []


def test_many_creates_of_one_id(command: Command, double: RemoteprocDouble, firmware: Path) -> None:
    for index in range(4):
        double.add(f"core{index}")
    spawned = [
        command.spawn("create", "--annotation", f"remoteproc.name=core{index % 4}", firmware, "motor")
        for index in range(12)
    ]
    codes = [process.wait(20) for process, _ in spawned]
    assert sorted(codes) == [0] + [1] * 11
    assert len(double.journals()) == len(double.installed()) == 1
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_many_starts_of_one_container(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    command.create(firmware, "motor")
    spawned = [command.spawn("start", "motor") for _ in range(12)]
    codes = [process.wait(20) for process, _ in spawned]
    assert sorted(codes) == [0] + [1] * 11
    assert (core.references, len(core.boots)) == (1, 1)


def test_container_without_logs(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor", annotations={"remoteproc.logs": "none"})
    command.run("start", "motor")
    core.print(b"unheard\n")
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0
    outcome = command.run("logs", "motor")
    assert outcome.stdout == ""
    assert "hybrid-runtime: started" in outcome.stderr


def test_the_log_has_the_size_it_was_given(
    command: Command, core: ProcessorDouble, firmware: Path, double: RemoteprocDouble
) -> None:
    command.create(firmware, "motor", annotations={"remoteproc.logs-size": "16K"})
    command.run("start", "motor")
    folder = double.root / "motor"
    for number in range(400):
        core.print(b"line %04d of some length, so that the file is full soon\n" % number)
        if (folder / "log.1").exists():
            break
        sleep(0.01)
    assert 8 << 10 < (folder / "log.1").stat().st_size <= 16 << 10
    assert (folder / "log").stat().st_size <= 16 << 10


STOPS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP}


def test_signals_that_mean_nothing_to_a_core(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """Acknowledged, whichever it is, and neither sent nor felt: some would end the supervisor, some would freeze it."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    for number in sorted(signal.valid_signals() - STOPS - {signal.SIGKILL}):
        assert command.forked("kill", "motor", str(int(number))).code == 0
    core.print(b"alive and well\n")
    eventually(lambda: "alive and well" in command.run("logs", "motor").stdout)
    assert command.state("motor")["pid"] == pid
    assert command.status("motor") == "running"
    assert core.stops == 0


@pytest.mark.parametrize("text", ["SIGUSR1", "10", "usr1", "SIGRTMIN+3"])
def test_the_stop_signal_of_an_image(command: Command, core: ProcessorDouble, firmware: Path, text: str) -> None:
    """STOPSIGNAL, which podman passes as an annotation and then sends. Others still mean nothing."""
    command.create(firmware, "motor", annotations={"org.opencontainers.image.stopSignal": text})
    command.run("start", "motor")
    command.run("kill", "motor", "USR2")
    assert core.state == "running"
    command.run("kill", "motor", text)
    assert command.status("motor") == "stopped"
    assert command.state("motor")["annotations"]["remoteproc.exit-code"] == "0"


@pytest.mark.parametrize("text", ["", "SIGNONE", "-1", "99999999999999999999", "SIG_IGN"])
def test_a_stop_signal_that_is_none(command: Command, core: ProcessorDouble, firmware: Path, text: str) -> None:
    command.create(firmware, "motor", annotations={"org.opencontainers.image.stopSignal": text})
    command.run("start", "motor")
    command.run("kill", "motor", "USR1")
    assert core.state == "running"
    command.run("kill", "motor", "TERM")
    assert command.status("motor") == "stopped"


@pytest.mark.parametrize("number", sorted(STOPS))
def test_the_state_after_a_stop(
    command: Command, core: ProcessorDouble, firmware: Path, number: signal.Signals
) -> None:
    """kill returns when the stop is carried out: whoever asks then is not told that it runs."""
    for _ in range(5):
        command.create(firmware, "motor")
        command.forked("start", "motor")
        assert command.forked("kill", "motor", number.name).code == 0
        assert core.state == "offline"
        state = command.forked("state", "motor")
        assert json.loads(state.stdout)["status"] == "stopped"
        command.reap()
        assert command.forked("delete", "motor").code == 0
