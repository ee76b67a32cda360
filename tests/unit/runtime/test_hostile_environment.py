"""Engines call with no environment, foreign descriptors and folders that are gone."""

import fcntl
import json
import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

from hybrid_runtime.container import sweep
from hybrid_runtime.container.store import Store
from hybrid_runtime.system import process_identity
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command
from tests.unit.runtime.file_modes import mode_of, not_private
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

REDIRECTIONS = {
    "closed": "<&- >&- 2>&-",
    "input closed": "<&-",
    "output closed": ">&-",
    "errors closed": "2>&-",
    "read-only": "</dev/null 1</dev/null 2</dev/null",
    "full": "</dev/null >/dev/full 2>/dev/full",
}


def shell(command: Command, script: str, *args: str | Path) -> int:
    """Runs `script` with the command line as "$@"."""
    argv = ["/bin/sh", "-c", script, "sh", *command.argv(*args)]
    return subprocess.run(argv, env={}, check=False, timeout=PATIENCE_SECONDS).returncode


@pytest.mark.parametrize("redirection", REDIRECTIONS.values(), ids=REDIRECTIONS)
def test_standard_descriptors(command: Command, double: RemoteprocDouble, firmware: Path, redirection: str) -> None:
    double.add("core0")
    script = f'exec "$@" {redirection}'
    assert shell(command, script, "create", firmware, "motor") == 0
    assert shell(command, script, "start", "motor") == 0
    assert shell(command, script, "state", "motor") == 0
    assert shell(command, script, "state", "other") == 1
    # What was said went nowhere, above all not into the files that are open.
    assert json.loads((double.claims / "remoteproc0.journal").read_text())["identifier"] == "motor"
    # The tally of the processor: one start.
    assert (double.claims / "remoteproc0").read_text() == "1 0\n"
    assert command.status("motor") == "running"
    assert shell(command, script, "kill", "motor", "KILL") == 0
    assert shell(command, script, "delete", "motor") == 0
    assert double.leftovers() == []


def test_reader_that_has_left(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    command.create(firmware, "motor")
    assert core.boots == []
    for verb in ("state", "start", "delete"):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            code = subprocess.run(
                command.argv(verb, "motor" if verb != "delete" else "other"),
                stdout=writing,
                stderr=writing,
                env={},
                check=False,
                timeout=PATIENCE_SECONDS,
            ).returncode
        finally:
            os.close(writing)
        assert code == (1 if verb == "delete" else 0)


def test_following_ends_with_its_reader(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    command.create(firmware, "motor")
    command.run("start", "motor")
    reading, writing = os.pipe()
    follower = subprocess.Popen(command.argv("logs", "-f", "motor"), stdout=writing, env={})
    os.close(writing)
    core.print(b"one\n")
    assert os.read(reading, 100) == b"one\n"
    os.close(reading)
    core.print(b"two\n")
    assert follower.wait(PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_following_a_silent_firmware_ends_with_its_reader(
    command: Command, core: ProcessorDouble, firmware: Path, kind: str
) -> None:
    """SSH servers give a command either. Nothing is written that could find the reader gone."""
    command.create(firmware, "motor")
    command.run("start", "motor")
    near, far = socket.socketpair() if kind == "socket" else (None, None)
    reading, writing = (near.detach(), far.detach()) if near and far else os.pipe()
    follower = subprocess.Popen(command.argv("logs", "-f", "motor"), stdout=writing, stderr=subprocess.DEVNULL, env={})
    os.close(writing)
    core.print(b"one\n")
    assert os.read(reading, 100) == b"one\n"
    os.close(reading)
    assert follower.wait(PATIENCE_SECONDS) == 0
    assert core.state == "running"


def test_deleted_working_folder(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    script = f'mkdir {gone}; cd {gone}; rmdir {gone}; exec "$@"'
    assert shell(command, script, "create", firmware, "motor") == 0
    assert shell(command, script, "start", "motor") == 0
    assert shell(command, script, "create", "relative.elf", "other") == 1
    assert core.state == "running"


def test_supervisor_holds_no_foreign_descriptor(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    mine, theirs = socket.socketpair()
    with mine, theirs:
        process = subprocess.run(
            command.argv("create", firmware, "motor"), pass_fds=[theirs.fileno()], env={}, check=False, timeout=20
        )
        assert process.returncode == 0
        theirs.close()
        mine.settimeout(PATIENCE_SECONDS)
        assert mine.recv(1) == b""
    pid = command.state("motor")["pid"]
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    assert sorted(links)[:3] == ["/dev/null"] * 3
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    assert os.getsid(pid) == pid
    assert core.boots == []


def test_create_with_blocked_and_ignored_signals(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """A supervisor hears TERM, whatever its creator did not."""
    assert shell(command, 'trap "" TERM HUP INT; exec "$@"', "create", firmware, "motor") == 0
    command.run("start", "motor")
    pid = command.state("motor")["pid"]
    command.run("kill", "motor", "TERM")
    assert command.exit_code(pid) == 0
    assert core.state == "offline"


def test_errors_as_json(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    command.run("--log", log, "--log-format", "json", "state", "no-such", code=1)
    command.run("--log", log, "--log-format=json", "create", "no/such\nfile", "x", code=1)
    objects = [json.loads(line) for line in log.read_text().splitlines()]
    assert [entry["level"] for entry in objects] == ["error", "error"]
    assert objects[0]["msg"].startswith("container does not exist")
    assert set(objects[0]) == {"level", "msg", "time"}
    assert objects[0]["time"].endswith("Z")
    assert log.stat().st_mode & 0o777 == 0o600


def test_log_as_text_and_levels(command: Command, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command.run("--log", log, "state", "no-such", code=1)
    assert "level=error msg=" in log.read_text()
    quiet = command.run("--log", tmp_path, "state", "no-such", code=1)
    assert "cannot write --log" in quiet.stderr


def test_warnings_are_no_errors_in_the_log(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    from tests.elf_builder import build_elf

    firmware.write_bytes(build_elf(sections=()))
    log = tmp_path / "log.json"
    command.run("--log", log, "--log-format", "json", "create", firmware, "motor")
    assert [json.loads(line)["level"] for line in log.read_text().splitlines()] == ["warning"]
    assert command.run("--log-level", "error", "delete", "motor").stderr == ""
    assert command.run("--log-level", "error", "create", firmware, "motor").stderr == ""
    assert core.boots == []


def test_odd_bytes_in_arguments(command: Command, core: ProcessorDouble, tmp_path: Path) -> None:
    outcome = command.run("create", tmp_path / os.fsdecode(b"\xff\xfe"), "x", code=1)
    assert "`: file not found (correct the path)" in outcome.stderr
    command.run("state", os.fsdecode(b"\xff"), code=1)
    assert core.boots == []


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\u0000b"', '"\\udcff\\ud800"'])
@pytest.mark.parametrize("field", ["args", "root", "annotation", "name"])
def test_odd_characters_in_a_bundle(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, tmp_path: Path, text: str, field: str
) -> None:
    config = {"ociVersion": "1.0.2", "root": {"path": "r"}, "process": {"args": ["f"]}, "annotations": {}}
    value = json.loads(text)
    if field == "args":
        config["process"] = {"args": [value]}
    elif field == "root":
        config["root"] = {"path": value}
    else:
        config["annotations"] = {"remoteproc.recovery" if field == "annotation" else "remoteproc.name": value}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert command.run("create", "-b", tmp_path, "motor", code=1).stderr.startswith("hybrid-runtime: ")
    assert double.leftovers() == []
    assert core.boots == []


def test_no_umask(command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path) -> None:
    """What the caller lets others write to is the caller's affair, and never ours."""
    deep = double.sysroot / "deep/er/root"
    double.firmware_folder.rmdir()
    double.firmware_folder.parent.rmdir()
    script = 'umask 0; exec "$@"'
    for words in (("create", firmware, "motor"), ("start", "motor"), ("logs", "motor")):
        assert shell(command, script, "--root", deep, *words) == 0
    for folder in (deep.parent, deep.parents[1], double.firmware_folder, double.sysroot / "lib"):
        assert mode_of(folder) == "755", folder
    assert not_private(deep) == not_private(double.claims) == {}
    assert (deep / "motor/log").is_file()
    assert [mode_of(path) for path in double.firmware_folder.iterdir()] == ["644"]
    assert core.state == "running"
    assert shell(command, script, "--root", deep, "delete", "--force", "motor") == 0


def test_a_root_that_everybody_reads(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    """flock(2) takes no more than reading, so the lock of creates is no folder."""
    double.root.mkdir()
    double.root.chmod(0o755)
    command.create(firmware, "first")
    command.run("delete", "first")
    assert [path.name for path in double.root.iterdir()] == ["~lock"]
    assert (double.root / "~lock").stat().st_mode & 0o777 == 0o600
    folder = os.open(double.root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        command.create(firmware, "motor")
    finally:
        os.close(folder)
    assert command.run("list", "-q").stdout == "motor\n"
    assert "1 in" in command.run("doctor", code=None).stdout
    command.run("delete", "motor")
    assert core.state == "offline"


def test_a_create_that_is_stopped_holds_others_up_for_a_while(
    double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(SystemPaths(), str(double.root))
    store.make_root()
    monkeypatch.setattr(sweep, "LOCK_SECONDS", 0.05)
    held = sweep.lock_root(store)
    holder = f"process {os.getpid()} has kept `{double.root}/~lock` locked for 0.05 s"
    with pytest.raises(Failure, match=re.escape(holder)):
        sweep.lock_root(store)
    os.close(held)
    os.close(sweep.lock_root(store))
    (double.root / "~lock").unlink()
    (double.root / "~lock").symlink_to("/etc/passwd")
    with pytest.raises(Failure, match="cannot open"):
        sweep.lock_root(store)


def in_the_way(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "terminal":
        master, slave = os.openpty()
        path.symlink_to(os.ttyname(slave))
        os.close(slave)
        os.set_inheritable(master, False)
    else:
        path.symlink_to(f"/dev/{kind}")


@pytest.mark.parametrize("kind", ["pipe", "folder", "zero", "null", "terminal"])
def test_a_configuration_that_is_no_file(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, tmp_path: Path, kind: str
) -> None:
    in_the_way(tmp_path / "config.json", kind)
    outcome = command.run("create", "--bundle", tmp_path, "motor", code=1)
    assert f"cannot read `{tmp_path}/config.json`" in outcome.stderr
    assert double.leftovers() == []
    assert core.state == "offline"


@pytest.mark.parametrize("kind", ["pipe", "folder", "full"])
def test_a_log_that_takes_nothing(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, kind: str
) -> None:
    """It is told, and the verb goes on."""
    in_the_way(tmp_path / "log", kind)
    outcome = command.run("--log", tmp_path / "log", "state", "absent", code=1)
    assert f"cannot write --log `{tmp_path}/log`" in outcome.stderr
    command.run("--log", tmp_path / "log", "create", firmware, "motor")
    assert core.state == "offline"


def test_a_log_that_is_a_pipe_with_a_reader(command: Command, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "log")
    reader = os.open(tmp_path / "log", os.O_RDONLY | os.O_NONBLOCK)
    command.run("--log", tmp_path / "log", "state", "absent", code=1)
    assert b"level=error" in os.read(reader, 4096)
    os.close(reader)


NAMESPACES = subprocess.run(["/usr/bin/env", "unshare", "--mount", "true"], capture_output=True, check=False)


@pytest.mark.skipif(NAMESPACES.returncode != 0, reason="hiding /proc takes a mount namespace")
@pytest.mark.parametrize("verb", ["--version", "state motor", "delete motor", "list", "doctor --repair"])
def test_without_proc(
    *, command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, verb: str
) -> None:
    """One line, and a container that lives is not taken for dead."""
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    hidden = ("/usr/bin/env", "unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh")
    process, outcome = command.spawn(*verb.split(), prefix=hidden)
    assert process.wait(PATIENCE_SECONDS) == 1
    assert outcome.stderr == "hybrid-runtime: /proc is not mounted (mount -t proc proc /proc)\n"
    assert outcome.stdout == ""
    assert (core.state, double.containers()) == ("running", ["motor"])
    assert command.status("motor") == "running"
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0


def test_nobody_is_dead_where_there_is_no_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_identity, "on_machine", lambda path: f"/nowhere{path}")
    with pytest.raises(Failure, match="/proc is not mounted"):
        process_identity.is_alive(os.getpid(), 1)
