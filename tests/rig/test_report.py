"""Reports of runs on a board, and a person's visit to the board of a test that failed."""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pexpect

from hybrid_hil.report.record import Case, Outcome, Run, read_run
from tests.rig.sandbox import Sandbox, plugin

WHOLE_S = 120.0

LIVES = """
from hybrid_hil.deadline import Deadline

def test_lives(runtime, firmware, witness):
    heartbeat = firmware("heartbeat", core=0)
    runtime.create("c", heartbeat)
    runtime.start("c")
    witness.started(heartbeat, Deadline(20))
    runtime.delete("c", force=True)

def test_crashes(runtime, firmware, witness, shell):
    heartbeat = firmware("heartbeat", core=1)
    runtime.create("c", heartbeat)
    runtime.start("c")
    witness.started(heartbeat, Deadline(20))
    shell.run("echo 2 >/sys/kernel/debug/remoteproc/remoteproc1/crash")
    assert False, "on purpose"

def test_does_nothing(board):
    pass
"""

LEFT = """
def test_leaves_something(shell):
    shell.run("echo still here >/tmp/left")
    assert False, "on purpose"

def test_comes_after(shell):
    assert shell.run("cat /tmp/left /tmp/person").stdout == "still here\\nwas here\\n"
"""


def found_in(run: Run, name: str) -> Case:
    return next(case for case in run.cases if case.name == name)


def test_a_report_has_what_board_and_cores_did(sandbox: Sandbox, tmp_path: Path) -> None:
    """By a worker of xdist, whose observations come to the controller."""
    (tmp_path / "test_suite.py").write_text(LIVES)
    page, junit = sandbox.folder / "artifacts" / "page.html", tmp_path / "junit.xml"
    arguments = ["-n1", f"--hil-report={page}", f"--junitxml={junit}", f"--rootdir={tmp_path}"]
    process = sandbox.pytest(f"--image={sandbox.image.folder}", *arguments, str(tmp_path))
    output, _ = process.communicate(timeout=WHOLE_S)
    assert "1 failed, 2 passed" in output
    run = read_run(page.with_suffix(".json"))
    lived, crashed, idle = (found_in(run, f"test_{name}") for name in ("lives", "crashes", "does_nothing"))
    _it_lived(lived)
    _it_crashed(crashed, page)
    assert (idle.outcome, idle.observed.events, idle.observed.calls) == (Outcome.PASSED, (), ())
    _the_board_is_named(run, sandbox, junit)
    (boot,) = run.boots
    names = [stage.name for stage in boot.stages]
    assert names == ["restore"] or names[:6] == ["firmware", "kernel", "init", "network", "ssh", "provision"]
    assert (boot.worker, boot.failed) == ("gw0", False)
    assert all(stage.seconds > 0 for stage in boot.stages)


def test_a_boot_that_fails_is_in_the_report(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text("def test_needs_a_board(board): pass\n")
    page = sandbox.folder / "artifacts" / "page.html"
    arguments = ["--monitor=/nowhere.elf", f"--hil-report={page}", f"--rootdir={tmp_path}"]
    process = sandbox.pytest(f"--image={sandbox.image.folder}", *arguments, str(tmp_path))
    output, _ = process.communicate(timeout=WHOLE_S)
    (boot,) = read_run(page.with_suffix(".json")).boots
    assert boot.failed, output
    assert [stage.name for stage in boot.stages] == ["firmware"]
    assert "failed after" in page.read_text()


def _it_lived(lived: Case) -> None:
    texts = [event.text for event in lived.observed.events if event.core == "10000.r5f"]
    life = [text for text in texts if "available" not in text and "Booting" not in text]
    assert life == [
        "powering up 10000.r5f",
        "remote processor 10000.r5f is now up",
        "stopped remote processor 10000.r5f",
    ]
    assert [call.verb for call in lived.observed.calls] == ["create", "start", "delete"]
    spoken = next(line for line in lived.observed.core_console.lines if "heartbeat boot=1 nonce=" in line.text)
    up = next(event for event in lived.observed.events if event.text.endswith("is now up"))
    # both clocks tell the same story: the core speaks just after the kernel has started it
    assert -0.5 < spoken.at_s - up.at_s < 2
    assert all(0 <= event.at_s <= lived.duration_s for event in lived.observed.events)


def _it_crashed(crashed: Case, page: Path) -> None:
    assert crashed.outcome is Outcome.FAILED
    assert any(event.text.startswith("crash detected in 30000.r5f") for event in crashed.observed.events)
    assert not any("10000.r5f" in event.text for event in crashed.observed.events)
    assert re.match(r"(/\S+/)?qemu-system-aarch64 -M", crashed.by_hand)
    assert "on purpose" in (page.parent / crashed.evidence / "failure.txt").read_text()
    assert f'href="{crashed.evidence}/dmesg.txt"' in page.read_text()


def _the_board_is_named(run: Run, sandbox: Sandbox, junit: Path) -> None:
    properties = ET.parse(junit).findall("testsuite/properties/property")
    told = {each.get("name"): each.get("value") for each in properties}
    assert run.facts.image_hash == told["hil.image_hash"] == sandbox.image.manifest["hash"]
    assert run.facts.board == told["hil.board"] == "emulated"
    assert run.facts.kernel == told["hil.kernel"]
    assert run.facts.kernel.startswith("6.")
    assert run.facts.layout == told["hil.layout"] == "two-cores"
    assert "commit: " in run.facts.runtime
    assert run.facts.qemu == told["hil.qemu"] != ""


def test_a_person_visits_the_board_of_a_failed_test(sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(LEFT)
    arguments = [
        "-m",
        "pytest",
        *plugin(),
        "-p",
        "no:cacheprovider",
        "--color=no",
        f"--image={sandbox.image.folder}",
        "--hil-shell",
    ]
    arguments += [f"--hil-artifacts={sandbox.folder / 'artifacts'}", f"--rootdir={tmp_path}", str(tmp_path)]
    with pexpect.spawn(sys.executable, arguments, env=sandbox.environment, encoding="utf-8", timeout=WHOLE_S) as person:
        person.expect("test_leaves_something failed in its call; this is its board")
        person.expect("# ")
        person.send("cat /tmp/left; echo was here >/tmp/person\r")
        person.expect("\nstill here")
        person.send("exit\r")
        person.expect("1 failed, 1 passed")
        person.expect(pexpect.EOF)
        person.wait()
    assert person.exitstatus == 1
    assert sandbox.boards() == []
    assert sandbox.run_folders() == []
