"""list, ps, update, features: what engines and people ask about all containers or one."""

import json
import os
import pwd
import signal
import subprocess
from pathlib import Path

import pytest

from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

OWNER = pwd.getpwuid(os.geteuid()).pw_name


@pytest.fixture
def three(command: Command, double: RemoteprocDouble, firmware: Path, tmp_path: Path) -> dict[str, int]:
    """One running, one created from a bundle, one stopped: their supervisors' pids."""
    for name in ("core0", "core1", "core2"):
        double.add(name)
    pids = {"running": command.create(firmware, "running", "--processor", "core0")}
    command.run("start", "running")
    bundle = write_bundle(tmp_path / "bundle", firmware)
    command.run("--processor", "core1", "create", "--bundle", bundle, "created")
    pids["created"] = command.record("created")["pid"]
    pids["stopped"] = command.create(firmware, "stopped", "--processor", "core2")
    command.run("kill", "stopped")
    assert command.exit_code(pids["stopped"]) == 0
    return pids


def test_list(command: Command, three: dict[str, int]) -> None:
    lines = [line.split() for line in command.run("list").stdout.splitlines()]
    assert lines[0] == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER", "PROCESSOR"]
    rows = {line[0]: line for line in lines[1:]}
    assert list(rows) == ["created", "running", "stopped"]
    for name, core in (("running", "core0"), ("created", "core1"), ("stopped", "core2")):
        pid = "0" if name == "stopped" else str(three[name])
        record = command.record(name)
        assert rows[name] == [name, pid, name, record["bundle"], record["created"], OWNER, core]


@pytest.mark.usefixtures("three")
def test_list_as_json_is_the_state_and_a_little_more(command: Command, tmp_path: Path) -> None:
    entries = json.loads(command.run("list", "--format=json").stdout)
    assert [entry["id"] for entry in entries] == ["created", "running", "stopped"]
    for entry in entries:
        state = command.state(entry["id"])
        assert {key: entry[key] for key in state} == state
        assert set(entry) - set(state) == {"rootfs", "owner", "processor"}
    assert entries[0]["rootfs"] == str(tmp_path / "bundle/rootfs")


@pytest.mark.usefixtures("three")
def test_list_quietly(command: Command) -> None:
    assert command.run("list", "-q").stdout == "created\nrunning\nstopped\n"


def test_list_without_containers(command: Command, double: RemoteprocDouble) -> None:
    assert command.run("list", "-q").stdout == ""
    assert command.run("list").stdout.split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER", "PROCESSOR"]
    assert command.run("list", "-f", "json").stdout == "[]\n"
    assert not double.root.exists()


@pytest.mark.usefixtures("three")
def test_unreadable_records_are_listed_as_such(command: Command, double: RemoteprocDouble) -> None:
    (double.root / "stopped/record.json").write_text('{"identifier": "stopped"')
    (double.root / "lost").mkdir()
    (double.root / "lost/log").write_text("")
    # Made or removed this moment.
    (double.root / "empty").mkdir()
    rows = [line.split() for line in command.run("list").stdout.splitlines()[1:]]
    assert [(row[0], row[2]) for row in rows] == [
        ("created", "created"),
        ("lost", "unreadable"),
        ("running", "running"),
        ("stopped", "unreadable"),
    ]
    assert rows[3] == ["stopped", "0", "unreadable", "-", "-", OWNER, "-"]
    entries = {entry["id"]: entry for entry in json.loads(command.run("list", "-f", "json").stdout)}
    assert "record of container `stopped` is damaged" in entries["stopped"]["error"]
    assert "delete --force lost" in entries["lost"]["error"]
    assert command.run("list", "-q").stdout.split() == ["created", "empty", "lost", "running", "stopped"]


@pytest.mark.parametrize("file", ["state.json", "status"])
def test_containers_of_other_runtimes_in_the_same_root(command: Command, double: RemoteprocDouble, file: str) -> None:
    """CRI-O's root is shared: what runc and crun keep there is not ours to list, and far less to delete."""
    theirs = double.root / "theirs"
    theirs.mkdir(parents=True)
    (theirs / file).write_text("{}")
    (double.root / "not an id").mkdir()
    (double.root / "file").write_text("")
    (double.root / "link").symlink_to(theirs)
    assert command.run("list", "-q").stdout == ""
    assert "container does not exist" in command.run("state", "theirs", code=1).stderr
    assert command.run("delete", "--force", "theirs").stderr == ""
    assert (theirs / file).read_text() == "{}"


def test_a_bundle_s_odd_name_stays_on_its_line(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    bundle = write_bundle(tmp_path / "odd\n\x1b[2Jname", firmware)
    command.run("create", "--bundle", bundle, "motor")
    lines = command.run("list").stdout.splitlines()
    assert len(lines) == 2
    assert r"odd\n\x1b[2Jname" in lines[1]
    assert core.boots == []


def test_list_of_a_root_that_cannot_be_read(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot list" in command.run("--root", tmp_path / "file", "list", code=1).stderr


@pytest.mark.usefixtures("three")
def test_ps(command: Command, three: dict[str, int]) -> None:
    assert command.run("ps", "--format", "json", "running").stdout == f"[{three['running']}]\n"
    assert command.run("ps", "-f", "json", "created").stdout == f"[{three['created']}]\n"
    assert command.run("ps", "-fjson", "stopped").stdout == "[]\n"
    header, row = (line.split() for line in command.run("ps", "running").stdout.splitlines())
    assert header == ["PID", "STATUS", "PROCESSOR", "FIRMWARE"]
    assert row == [str(three["running"]), "running", "core0", command.record("running")["firmware_name"]]
    # What ps(1) would be told after the id.
    for options in (("-ef",), ("aux",), ("-o", "pid,comm", "--sort=-pid"), ("-f", "nonsense")):
        assert command.run("ps", "running", *options).stdout.split()[:4] == header
    assert "container does not exist" in command.run("ps", "nobody", code=1).stderr


UPDATES = [
    ("--memory", "67108864"),
    ("--cpu-share=512", "--cpu-quota", "-1", "--cpuset-cpus", "0-1"),
    ("--pids-limit", "10", "--blkio-weight=500", "--memory-swap", "-1"),
    (),
]


@pytest.mark.parametrize("options", UPDATES)
def test_update_is_acknowledged(command: Command, core: ProcessorDouble, firmware: Path, options: list[str]) -> None:
    command.create(firmware, "motor")
    before = command.record("motor")
    outcome = command.run("update", *options, "motor")
    assert outcome.stdout == outcome.stderr == ""
    assert command.record("motor") == before
    assert core.boots == []


def test_update_from_a_file_and_from_standard_input(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    command.create(firmware, "motor")
    resources = tmp_path / "resources.json"
    resources.write_text('{"memory": {"limit": 1}}')
    command.run("update", f"--resources={resources}", "motor")
    assert "cannot read --resources" in command.run("update", "-r", tmp_path / "absent", "motor", code=1).stderr
    # More than a pipe holds: whoever writes it must be rid of all of it, even when there is no such container.
    for identifier, code in (("motor", 0), ("nobody", 1)):
        argv = command.argv("update", "--resources", "-", identifier)
        process = subprocess.run(argv, input=b" " * (1 << 20) + b"{}", env={}, capture_output=True, check=False)
        assert process.returncode == code, process.stderr
    assert b"container does not exist" in process.stderr
    assert core.boots == []


def test_update_says_so_when_asked(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    command.create(firmware, "motor")
    assert "changes nothing" in command.run("--log-level", "info", "update", "motor").stderr
    assert core.boots == []


def test_features_are_one_object(command: Command) -> None:
    outcome = command.run("--root=/run/runc", "--systemd-cgroup", "features")
    features = json.loads(outcome.stdout)
    assert outcome.stderr == ""
    assert (features["ociVersionMin"], features["ociVersionMax"]) == ("1.0.0", "1.3.0")
    assert features["hooks"] == [
        *("prestart", "createRuntime", "createContainer", "poststart", "poststop"),
    ]
    assert features["mountOptions"] == []
    assert "network" in features["linux"]["namespaces"]
    assert (features["linux"]["cgroup"]["v1"], features["linux"]["cgroup"]["v2"]) == (False, True)


def test_looking_leaves_everything_as_it_was(
    command: Command, double: RemoteprocDouble, three: dict[str, int], tmp_path: Path
) -> None:
    """Every verb that only looks, against a running container: the core goes on, and nothing is written."""

    def files() -> dict[str, tuple[float, bytes]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(double.sysroot.rglob("*"))
            if path.is_file() and path.name != "log"
        }

    (tmp_path / "r.json").write_text("{}")
    before = files()
    for words in (
        *(("list",), ("list", "-f", "json"), ("ps", "running"), ("state", "running"), ("processors",), ("features",)),
        *(("logs", "running"), ("update", "-r", str(tmp_path / "r.json"), "running"), ("help",), ("--version",)),
        *(("processors", "-f", "json"), ("doctor",), ("doctor", "-f", "json")),
    ):
        command.run(*words, code=None)
    assert files() == before
    assert command.status("running") == "running"
    os.kill(three["running"], signal.SIGTERM)
    assert command.exit_code(three["running"]) == 0
