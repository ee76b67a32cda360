"""`hil boot`, `hil ssh` and `hil deploy`, as a person uses them together."""

import json
import subprocess
import sys

import pexpect

from hybrid_hil.board.run_folder import RUN_INFO
from tests.rig.sandbox import Sandbox

UP_S = 90
WHOLE_S = 90


def done(process: subprocess.Popen[str]) -> tuple[int, str]:
    output, _ = process.communicate(timeout=WHOLE_S)
    return process.returncode, output


def booted(sandbox: Sandbox) -> subprocess.Popen[str]:
    """A `hil boot` without a terminal whose board is up."""
    process = sandbox.hil("boot", "--image", str(sandbox.image.folder))
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if "is up after" in line:
            return process
    raise AssertionError(shown)


def test_a_board_kept_by_boot_serves_ssh_and_deploy_until_it_powers_itself_off(sandbox: Sandbox) -> None:
    boot = booted(sandbox)
    (folder,) = sandbox.run_folders()
    named = f"  on `{folder.name}` of this checkout\n"
    assert done(sandbox.hil("ssh", "echo $HOME; echo wrong >&2; exit 7")) == (7, f"{named}/root\nwrong\n")
    assert done(sandbox.hil("ssh", "printf", "%s|", "a b", "c;d")) == (0, f"{named}a b|c;d|")
    assert done(sandbox.hil("ssh", "--board", folder.name, "true")) == (0, "")
    run_info = json.loads((folder / RUN_INFO).read_text())
    (folder / RUN_INFO).write_text(json.dumps({**run_info, "checkout": "/elsewhere"}))
    assert done(sandbox.hil("ssh", "true")) == (0, f"  on `{folder.name}` of the checkout `/elsewhere`\n")
    code, output = done(sandbox.hil("deploy"))
    assert code == 0, output
    assert f"on `{folder.name}` of the checkout `/elsewhere`" in output
    code, output = done(sandbox.hil("ssh", "hybrid-runtime", "processors"))
    assert code == 0
    assert "10000.r5f" in output
    sandbox.hil("ssh", "poweroff")
    code, output = done(boot)
    assert code == 0, output
    assert sandbox.run_folders() == []


def test_a_board_that_panics_ends_boot_with_the_cause(sandbox: Sandbox) -> None:
    boot = booted(sandbox)
    sandbox.hil("ssh", "echo c >/proc/sysrq-trigger")
    code, output = done(boot)
    assert code == 1
    assert "error: the board died: Kernel panic - not syncing: sysrq triggered crash" in output
    assert sandbox.boards() == []


def test_ssh_and_deploy_say_when_there_is_no_board(sandbox: Sandbox) -> None:
    code, output = done(sandbox.hil("deploy"))
    assert (code, output.splitlines()) == (
        1,
        ["error: no board is running", "remedy: start one in another terminal: hil boot"],
    )
    code, output = done(sandbox.hil("ssh", "--board", "board-x", "true"))
    assert code == 1
    assert "no board `board-x` is running" in output


def test_ssh_without_a_board_boots_one(sandbox: Sandbox) -> None:
    code, output = done(sandbox.hil("ssh", "--image", str(sandbox.image.folder), "uname", "-m"))
    assert code == 0, output
    assert output.splitlines()[-1] == "aarch64"
    assert sandbox.run_folders() == []


def test_a_person_types_on_the_console_and_leaves(sandbox: Sandbox) -> None:
    arguments = ["-m", "hybrid_hil", "boot", "--image", str(sandbox.image.folder), "--layout", "one-core"]
    with pexpect.spawn(sys.executable, arguments, env=sandbox.environment, encoding="utf-8", timeout=UP_S) as person:
        person.expect("is up after")
        person.expect("# ")
        person.send("echo six times seven is $((6 * 7))\r")
        person.expect("six times seven is 42")
        person.send("sleep 60\r")
        person.send("\x03")
        person.send("cat /sys/class/remoteproc/remoteproc0/name\r")
        person.expect(r"0\.r5f")
        person.send("\x1d")
        person.expect(pexpect.EOF)
        person.wait()
    assert person.exitstatus == 0
    assert sandbox.boards() == []
    assert sandbox.run_folders() == []
