"""Lifecycle hooks: their order, what they are given, and what follows when one fails."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from hybrid_runtime.bundle.hook import Hook, parse_hooks
from hybrid_runtime.container.hook_run import run_hook
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

RECORDER = """#!/bin/sh
state=$(cat)
printf '%s\\t%s\\t%s\\n' "$1" "$GREETING" "$state" >> {record}
"""


class Recorder:
    """A hook program that writes down when it was called and with what."""

    def __init__(self, folder: Path) -> None:
        self.program = folder / "recorder"
        self.record = folder / "record"
        self.program.write_text(RECORDER.format(record=self.record))
        self.program.chmod(0o700)

    def hook(self, word: str) -> dict[str, Any]:
        return {"path": str(self.program), "args": ["recorder", word], "env": [f"GREETING=hello {word}"]}

    def calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        if not self.record.exists():
            return []
        columns = [line.split("\t") for line in self.record.read_text().splitlines()]
        return [(word, greeting, json.loads(state)) for word, greeting, state in columns]

    def words(self) -> list[str]:
        return [word for word, _, _ in self.calls()]


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(tmp_path)


def script(folder: Path, text: str) -> dict[str, Any]:
    path = folder / f"script-{len(list(folder.iterdir()))}"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return {"path": str(path)}


KINDS = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")


def test_order_state_and_environment(
    command: Command, core: ProcessorDouble, recorder: Recorder, firmware: Path, tmp_path: Path
) -> None:
    hooks = {kind: [recorder.hook(f"{kind} {number}") for number in (1, 2)] for kind in KINDS}
    bundle = write_bundle(tmp_path / "bundle", firmware, hooks=hooks)
    command.run("create", "-b", bundle, "motor")
    pid = command.record("motor")["pid"]
    in_create = [f"{kind} {number}" for kind in KINDS[:3] for number in (1, 2)]
    assert recorder.words() == in_create
    for word, greeting, state in recorder.calls():
        assert greeting == f"hello {word}"
        assert (state["status"], state["pid"], state["id"]) == ("creating", pid, "motor")
        assert state["bundle"] == str(bundle)
        assert state["annotations"]["vendor.note"] == "kept"
    command.run("start", "motor")
    assert recorder.words() == [*in_create, "poststart 1", "poststart 2"]
    assert recorder.calls()[-1][2]["status"] == "running"
    command.run("kill", "motor")
    command.exit_code(pid)
    command.run("delete", "motor")
    assert recorder.words()[-2:] == ["poststop 1", "poststop 2"]
    assert recorder.calls()[-1][2]["status"] == "stopped"
    assert recorder.calls()[-1][2]["pid"] == 0
    assert core.state == "offline"


@pytest.mark.parametrize("kind", KINDS[:3])
def test_a_failing_hook_of_create_destroys(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    recorder: Recorder,
    firmware: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    """The error is told with the hook's own words, later ones do not run, poststop ones do."""
    failing = script(tmp_path, "echo no network today >&2; exit 3")
    later = {other: [recorder.hook(other)] for other in KINDS[KINDS.index(kind) + 1 :]}
    hooks = {**later, kind: [failing, recorder.hook(kind)]}
    bundle = write_bundle(tmp_path / "bundle", firmware, hooks=hooks)
    outcome = command.run("create", "-b", bundle, "--pid-file", tmp_path / "pid", "motor", code=1)
    assert f"{kind} hook `{failing['path']}` ended with code 3: no network today" in outcome.stderr
    assert recorder.words() == ["poststop"]
    assert double.leftovers() == []
    assert not (tmp_path / "pid").exists()
    assert core.boots == []


def test_a_failing_poststart_hook_destroys(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    recorder: Recorder,
    firmware: Path,
    tmp_path: Path,
) -> None:
    hooks = {"poststart": [script(tmp_path, "exit 1")], "poststop": [recorder.hook("poststop")]}
    command.run("create", "-b", write_bundle(tmp_path / "bundle", firmware, hooks=hooks), "motor")
    assert "poststart hook" in command.run("start", "motor", code=1).stderr
    assert len(core.boots) == 1
    assert core.state == "offline"
    assert recorder.words() == ["poststop"]
    assert double.leftovers() == []


def test_a_hook_that_is_a_program_of_the_image_is_refused(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    recorder: Recorder,
    firmware: Path,
    tmp_path: Path,
) -> None:
    """It would run as root on this machine, whatever the image's author has put there."""
    hooks = {"startContainer": [{"path": "/bin/sh"}], "poststop": [recorder.hook("poststop")]}
    bundle = write_bundle(tmp_path / "bundle", firmware, hooks=hooks)
    outcome = command.run("create", "-b", bundle, "motor", code=1)
    assert "hooks.startContainer would run the program `/bin/sh` of the firmware image" in outcome.stderr
    assert "createContainer or createRuntime" in outcome.stderr
    assert recorder.words() == []
    assert double.leftovers() == []
    config = json.loads((bundle / "config.json").read_text())
    (bundle / "config.json").write_text(json.dumps(config | {"hooks": {"startContainer": []}}))
    command.run("create", "-b", bundle, "motor")
    command.run("start", "motor")
    assert len(core.boots) == 1


def test_a_container_of_an_earlier_version_with_such_a_hook_can_be_deleted(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    recorder: Recorder,
    firmware: Path,
    tmp_path: Path,
) -> None:
    program = tmp_path / "bundle/rootfs/program"
    command.run("create", "-b", write_bundle(tmp_path / "bundle", firmware, hooks={"poststop": []}), "motor")
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    program.chmod(0o700)
    kept = double.root / "motor/config.json"
    hooks = {"startContainer": [{"path": "/program"}], "poststop": [recorder.hook("poststop")]}
    kept.write_text(json.dumps(json.loads(kept.read_text()) | {"hooks": hooks}))
    record = double.root / "motor/record.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"hooks": list(hooks)}))
    assert "hooks.startContainer" in command.run("start", "motor", code=1).stderr
    assert not (tmp_path / "ran").exists()
    assert core.boots == []
    command.run("delete", "motor")
    assert recorder.words() == ["poststop"]
    assert double.leftovers() == []


def test_a_failing_poststop_hook_is_only_told(
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    recorder: Recorder,
    firmware: Path,
    tmp_path: Path,
) -> None:
    hooks = {"poststop": [script(tmp_path, "exit 9"), recorder.hook("second")]}
    command.run("create", "-b", write_bundle(tmp_path / "bundle", firmware, hooks=hooks), "motor")
    outcome = command.run("delete", "motor")
    assert "warning: poststop hook" in outcome.stderr
    assert recorder.words() == ["second"]
    assert double.leftovers() == []
    assert core.state == "offline"


def test_hooks_are_those_of_create(
    command: Command, recorder: Recorder, firmware: Path, tmp_path: Path, core: object
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware, hooks={"poststop": [recorder.hook("as created")]})
    command.run("create", "-b", bundle, "motor")
    (bundle / "config.json").write_text("{}")
    command.run("delete", "motor")
    assert recorder.words() == ["as created"]
    assert core is not None


def test_concurrent_starts_run_hooks_once(
    command: Command, recorder: Recorder, firmware: Path, tmp_path: Path, core: ProcessorDouble
) -> None:
    hooks = {"poststart": [script(tmp_path, "sleep 0.3"), recorder.hook("poststart")]}
    command.run("create", "-b", write_bundle(tmp_path / "bundle", firmware, hooks=hooks), "motor")
    starts = [command.spawn("start", "motor")[0] for _ in range(4)]
    assert sorted(start.wait(20) for start in starts) == [0, 1, 1, 1]
    assert recorder.words() == ["poststart"]
    assert len(core.boots) == 1


def test_sigterm_ends_create_and_its_hook(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    pid_path = tmp_path / "hook-pid"
    hooks = {"prestart": [script(tmp_path, f"echo $$ > {pid_path}.tmp; mv {pid_path}.tmp {pid_path}; sleep 1000")]}
    process, outcome = command.spawn("create", "-b", write_bundle(tmp_path / "bundle", firmware, hooks=hooks), "motor")
    eventually(pid_path.exists)
    process.terminate()
    assert process.wait(20) == 130
    eventually(lambda: not Path(f"/proc/{int(pid_path.read_text())}").exists())
    assert double.leftovers() == []
    assert outcome.stdout == ""
    assert core.state == "offline"


def hook(path: Path, timeout: float = 0) -> Hook:
    return Hook(str(path), [str(path)], {"PATH": "/usr/bin:/bin"}, timeout)


STATE: dict[str, object] = {"bundle": "/", "annotations": {"long": "x" * 300_000}}


@pytest.mark.alone
def test_a_hook_that_takes_too_long_is_killed_with_its_children(tmp_path: Path) -> None:
    path = Path(script(tmp_path, f"sleep 1000 & echo $! > {tmp_path}/child; wait")["path"])
    begun = time.monotonic()
    assert "took longer than its timeout of 1 s" in run_hook(hook(path, 1), STATE)
    assert time.monotonic() - begun < 10
    child = int((tmp_path / "child").read_text())
    eventually(lambda: not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text())


@pytest.mark.alone
def test_a_hook_may_ignore_its_state_and_leave_something_running(tmp_path: Path) -> None:
    path = Path(script(tmp_path, f"sleep 5 & echo $! > {tmp_path}/child; exit 0")["path"])
    begun = time.monotonic()
    assert run_hook(hook(path), STATE) == ""
    assert time.monotonic() - begun < 4
    os.kill(int((tmp_path / "child").read_text()), 9)


@pytest.mark.alone
def test_a_hook_inherits_nothing(tmp_path: Path) -> None:
    open_by_us = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(open_by_us, True)
    try:
        path = Path(script(tmp_path, f"ls -l /proc/self/fd > {tmp_path}/open; env > {tmp_path}/env")["path"])
        assert run_hook(hook(path), STATE) == ""
    finally:
        os.close(open_by_us)
    numbers = [int(line.split()[8]) for line in (tmp_path / "open").read_text().splitlines() if "->" in line]
    # ls itself holds the folder open.
    assert sorted(numbers)[:3] == [0, 1, 2]
    assert len(numbers) == 4
    names = {line.partition("=")[0] for line in (tmp_path / "env").read_text().splitlines()}
    # sh sets PWD and _ by itself.
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH"}


@pytest.mark.alone
def test_the_end_of_what_a_hook_says_is_told(tmp_path: Path) -> None:
    path = Path(script(tmp_path, "yes chatter | head -c 1000000 >&2; echo at last >&2; kill -TERM $$")["path"])
    problem = run_hook(hook(path), STATE)
    assert problem.startswith("was ended by signal 15: ")
    assert problem.endswith("at last")
    assert len(problem) < 1100


@pytest.mark.alone
@pytest.mark.parametrize("path", ["/nowhere/hook", "/etc/passwd", "/"])
def test_what_cannot_be_run(path: str) -> None:
    assert "cannot be run" in run_hook(Hook(path, [path], {}, 0), STATE)


@pytest.mark.parametrize(
    ("hooks", "message"),
    [
        ([], "not an object"),
        ({"preStart": []}, "`preStart`, known are prestart"),
        ({"prestart": {"path": "/x"}}, "hooks.prestart is not a list"),
        ({"prestart": ["x"]}, "not an object"),
        ({"prestart": [{}]}, "not absolute"),
        ({"prestart": [{"path": "bin/x"}]}, "not absolute"),
        ({"prestart": [{"path": "/x", "timeout": 0}]}, "timeout"),
        ({"prestart": [{"path": "/x", "timeout": True}]}, "timeout"),
        ({"prestart": [{"path": "/x", "timeout": 1.5}]}, "timeout"),
        ({"prestart": [{"path": "/x", "args": "x"}]}, "args"),
        ({"prestart": [{"path": "/x", "args": ["a\0"]}]}, "args"),
        ({"prestart": [{"path": "/x", "env": ["A"]}]}, "KEY=VALUE"),
        ({"prestart": [{"path": "/x", "env": ["=A"]}]}, "KEY=VALUE"),
    ],
)
def test_malformed(hooks: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_hooks(hooks)


def test_parsed() -> None:
    parsed = parse_hooks({"poststop": [{"path": "/x", "timeout": 10**30}], "prestart": None, "createRuntime": []})
    assert list(parsed) == ["poststop"]
    assert parsed["poststop"][0].args == ["/x"]
    assert parsed["poststop"][0].timeout < 2**31 / 1000
