"""What other runtimes for remote processors got wrong, one by one, and the tests that hold this one to better.

`LESSONS` is the one place that says which test is for which failure; those that had none are in this file. Where no
kernel matters, the test is among the unit tests.
"""

import ast
import json
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Linux, WaitForStatus

TESTS = Path(__file__).resolve().parents[1]
BOARD, UNIT = "board", "unit/runtime"
HERE = f"{BOARD}/test_known_failures.py"
# How many do the same at once, at night and by day.
MANY = 50
SOME = 12

# number: what went wrong, and file::test of what shows that it does not here
LESSONS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: (
        "create returned before its process could hear, so that a start that followed at once was lost",
        (f"{BOARD}/test_soak.py::test_lives_back_to_back", f"{BOARD}/test_lifecycle.py::test_restarts_of_each_core"),
    ),
    2: (
        "start said yes without a look at the core, and nobody ever saw what the process had to say",
        (
            f"{BOARD}/test_refusals.py::test_start_refuses_what_the_core_cannot_load",
            f"{BOARD}/test_refusals.py::test_start_looks_at_the_core_after_the_kernel_s_yes",
            f"{BOARD}/test_lifecycle.py::test_an_oci_bundle_keeps_the_engine_s_descriptors",
        ),
    ),
    3: (
        "SIGKILL in any form ended the container and left its core running",
        (
            f"{HERE}::test_each_way_to_kill_stops_the_core",
            f"{BOARD}/test_faults.py::test_kill_9_of_the_supervisor_stops_the_core_within_a_second",
            f"{BOARD}/test_death_at_system_calls.py::test_killed",
        ),
    ),
    4: (
        "state repeated what had been written last, whatever had become of core and process since",
        (
            f"{BOARD}/test_faults.py::test_a_crash_ends_the_container_with_70_and_keeps_its_last_lines",
            f"{BOARD}/test_faults.py::test_kill_of_a_dead_container_says_so",
            f"{UNIT}/test_random_lives.py::test_random_lives",
        ),
    ),
    5: (
        "a process that had come to have the pid of a dead one was signalled in its place",
        (f"{UNIT}/test_lifecycle.py::test_recycled_pid_is_not_signalled",),
    ),
    6: (
        "deleting a container that was never started left its process behind for ever",
        (f"{HERE}::test_a_deleted_created_container_leaves_no_process",),
    ),
    7: (
        "create with an id in use took the place of the container that had it, and forgot its core",
        (
            f"{BOARD}/test_lifecycle.py::test_looking_never_disturbs_a_running_core",
            f"{UNIT}/test_lifecycle.py::test_existing_id_is_refused",
        ),
    ),
    8: (
        "ids were paths: they led out of the folder of all containers, and the empty one meant all of it",
        (f"{BOARD}/test_refusals.py::test_ids_that_are_no_names", f"{HERE}::test_the_empty_id_means_nobody"),
    ),
    9: (
        "the firmware's path led out of the image, and pipes and devices were read without end",
        (
            f"{HERE}::test_only_regular_files_of_the_image_are_firmware",
            f"{UNIT}/test_rootfs.py::test_no_path_leaves_the_root",
        ),
    ),
    10: (
        "configurations without what is required ended in a panic, and what was not understood was passed over",
        (
            f"{UNIT}/test_bundle.py::test_bad",
            f"{UNIT}/test_fuzzing.py::test_configurations",
            f"{UNIT}/test_fuzzing.py::test_configurations_of_any_bytes",
        ),
    ),
    11: (
        "of many creates of one id and many starts on one core, more than one said yes",
        (
            f"{HERE}::test_many_creates_and_starts_at_once",
            f"{UNIT}/test_concurrency.py::test_fifty_creates_of_one_id",
            f"{UNIT}/test_concurrency.py::test_fifty_starts_on_one_core",
        ),
    ),
    12: (
        "a record cut short made every command fail, and a forced delete say yes and do nothing",
        (f"{HERE}::test_a_record_cut_short_is_cleaned_up", f"{UNIT}/test_fuzzing.py::test_damage"),
    ),
    13: (
        "a container that was killed before its start could be started, and was then running without a process",
        (f"{UNIT}/test_lifecycle.py::test_kill_of_a_created_container_then_start",),
    ),
    14: (
        "a pid file that could not be written left a container behind, and a bundle's path was kept relative",
        (
            f"{UNIT}/test_lifecycle.py::test_unwritable_pid_file_leaves_nothing",
            f"{UNIT}/test_lifecycle.py::test_relative_bundle_is_kept_absolute",
        ),
    ),
    15: (
        "cores started before Linux were unknown, and a crash between two looks was never seen",
        (
            "rig/test_early_core.py",
            f"{UNIT}/test_lifecycle.py::test_processor_in_use_is_refused",
            f"{BOARD}/test_faults.py::test_recovery_by_the_kernel_restarts_the_core_and_counts",
        ),
    ),
    16: (
        "few signals were known, and many of the options and verbs that engines use were not",
        (
            f"{UNIT}/test_command_line.py::test_command_lines_of_other_runtimes",
            f"{UNIT}/test_command_line.py::test_signal_names",
            f"{UNIT}/test_lifecycle.py::test_signals_that_stop_orderly",
        ),
    ),
    17: (
        "firmware was written in place, never to the disk for sure, of any size, and stayed for ever",
        (
            f"{UNIT}/test_installation.py::test_install_and_remove",
            f"{UNIT}/test_installation.py::test_failed_install_leaves_nothing",
            f"{BOARD}/test_storage.py::test_firmware_folder",
        ),
    ),
}


@pytest.mark.parametrize("number", range(1, 18))
def test_every_lesson_has_its_tests(number: int) -> None:
    for place in LESSONS[number][1]:
        path, _, name = place.partition("::")
        tree = ast.parse((TESTS / path).read_text())
        tests = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert not name or name in tests, place


def processes(shell: Shell) -> list[str]:
    """Of the runtime; nothing else on the board is written in Python."""
    return shell.run("ls -l /proc/[0-9]*/exe 2>/dev/null | grep python || true").stdout.splitlines()


@pytest.mark.parametrize("way", ["kill KILL", "kill 9", "delete --force", "kill -9"])
def test_each_way_to_kill_stops_the_core(
    *,
    runtime: DeployedRuntime,
    shell: Shell,
    firmware: FirmwareMaker,
    linux: Linux,
    wait_for_status: WaitForStatus,
    way: str,
) -> None:
    hello = firmware("hello")
    for _ in range(2):
        # The second time shows that the core is free again at once.
        runtime.create("victim", hello)
        runtime.start("victim")
        if way == "delete --force":
            runtime.delete("victim", force=True)
        else:
            if way == "kill -9":
                shell.run(f"kill -9 {runtime.state('victim')['pid']}")
                wait_for_status("victim", "stopped")
            else:
                runtime.kill("victim", way.split()[1])
            runtime.delete("victim")
        assert linux.attribute(hello.processor, "state") == "offline"
    assert processes(shell) == []
    linux.assert_untouched()


def test_a_deleted_created_container_leaves_no_process(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux
) -> None:
    runtime.create("unborn", firmware("hello"))
    assert len(processes(shell)) == 1
    runtime.delete("unborn")
    assert processes(shell) == []
    linux.assert_untouched()


def test_the_empty_id_means_nobody(runtime: DeployedRuntime, firmware: FirmwareMaker, linux: Linux) -> None:
    runtime.create("other", firmware("hello"))
    for options in ([], ["--force"]):
        refused = runtime.run("delete", *options, "", check=False)
        assert (refused.exit_status, "id is empty" in refused.stderr) == (1, True)
    assert linux.containers() == ["other"]
    runtime.delete("other")
    linux.assert_untouched()


@pytest.mark.parametrize(
    ("make", "path"),
    [
        ("true", "../../../../etc/passwd"),
        ("ln -s /etc/passwd fw.elf", "fw.elf"),
        ("ln -s ../../../../../etc/passwd fw.elf", "fw.elf"),
        ("mkfifo fw.elf", "fw.elf"),
        ("mknod fw.elf c 1 7", "fw.elf"),
        ("mkdir fw.elf", "fw.elf"),
    ],
    ids=["path", "link", "link upwards", "pipe", "full", "folder"],
)
def test_only_regular_files_of_the_image_are_firmware(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, make: str, path: str
) -> None:
    config = {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "process": {"cwd": "/", "args": [path]},
        "annotations": {"remoteproc.name": firmware("hello").processor},
    }
    shell.run(f"mkdir -p /tmp/escape/rootfs && cd /tmp/escape/rootfs && {make}")
    shell.put(json.dumps(config).encode(), "/tmp/escape/config.json")
    refused = runtime.run("create", "--bundle", "/tmp/escape", "escape", check=False, deadline=Deadline(20.0))
    shell.run(["rm", "-r", "/tmp/escape"])
    assert refused.exit_status == 1
    assert "cannot open the firmware" in refused.stderr
    linux.assert_untouched()


def at_once(shell: Shell, command: str, count: int) -> list[int]:
    """The exit codes of that many, all running beside each other on the board."""
    one = f"( {command} >/dev/null 2>&1; echo $? )"
    codes = shell.run(f"i=0; while [ $i -lt {count} ]; do {one} & i=$((i + 1)); done; wait", deadline=Deadline(300.0))
    return sorted(int(code) for code in codes.stdout.split())


def test_many_creates_and_starts_at_once(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, nightly: bool
) -> None:
    crowd = MANY if nightly else SOME
    hello = firmware("hello")
    create = f"{runtime.command} create --annotation remoteproc.name={hello.processor} {hello.path_on_board} crowd"
    assert at_once(shell, create, crowd) == [0] + [1] * (crowd - 1)
    assert linux.containers() == ["crowd"]
    assert len(processes(shell)) == 1
    assert at_once(shell, f"{runtime.command} start crowd", crowd) == [0] + [1] * (crowd - 1)
    # One reference, so one "stop" is enough.
    assert linux.attribute(hello.processor, "state") == "running"
    linux.write(hello.processor, "state", "stop")
    assert linux.attribute(hello.processor, "state") == "offline"
    runtime.delete("crowd", force=True)
    linux.assert_untouched()


@pytest.mark.parametrize("length", [0, 10, 200])
def test_a_record_cut_short_is_cleaned_up(
    runtime: DeployedRuntime, shell: Shell, firmware: FirmwareMaker, linux: Linux, length: int
) -> None:
    hello = firmware("hello")
    runtime.create("torn", hello)
    runtime.start("torn")
    shell.run(f"f=/run/hybrid-runtime/torn/record.json; head -c {length} $f > $f.cut; mv $f.cut $f")
    for verb in ("state", "start", "kill", "delete"):
        refused = runtime.run(verb, "torn", check=False)
        assert (refused.exit_status, "`torn` is damaged" in refused.stderr) == (1, True), refused
    runtime.delete("torn", force=True)
    assert linux.attribute(hello.processor, "state") == "offline"
    assert processes(shell) == []
    linux.assert_untouched()
