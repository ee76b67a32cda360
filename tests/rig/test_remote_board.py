"""A board reached as real ones are, over SSH, serial lines and power commands; emulated, on a stand of its own."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_hil.board import lease, remote
from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.board.lease import BoardInUseError, Lease
from hybrid_hil.board.remote import RemoteBoard
from hybrid_hil.board.stages import CONSOLE, StageError
from hybrid_hil.board_health import BoardHealth
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.inspection import StaleRuntimeError
from hybrid_hil.device.proof import Witness
from hybrid_hil.device.rig import Rig
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.failure import RigError
from hybrid_hil.image import Image
from hybrid_hil.shell import Shell
from tests.rig.sandbox import Sandbox
from tests.rig.spoiled_provision import spoil_provision
from tests.rig.stand import Stand

PROOF_S = 15.0
WHOLE_S = 300.0
ALARM = """
import sys
import tempfile
from pathlib import Path
from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.board.remote import RemoteBoard
from hybrid_hil.deadline import Deadline

with RemoteBoard(read_board_file(Path(sys.argv[1])), logs=Path(sys.argv[2])) as board:
    board.power_on(Deadline(60))
"""


@pytest.fixture
def rig(stand: Stand, tmp_path: Path) -> Iterator[Rig]:
    """Switched on, with the runtime on it."""
    with Rig(RemoteBoard(read_board_file(stand.board_file()), logs=tmp_path / "logs")) as rig:
        rig.boot()
        yield rig


def test_a_firmware_lives_there_and_proves_it(rig: Rig) -> None:
    board, runtime = rig.board, DeployedRuntime(rig.board.shell)
    witness = Witness(board.core_console)
    heartbeat = rig.firmware("heartbeat", core=1)
    runtime.create("motor", heartbeat)
    runtime.start("motor")
    witness.started(heartbeat, Deadline(PROOF_S))
    witness.beating(heartbeat, Deadline(PROOF_S))
    witness.logged(runtime.logs("motor"), heartbeat)
    runtime.delete("motor", force=True)
    witness.silent(heartbeat)
    assert rig.look_after("this") == []


def test_a_board_that_cannot_be_cleaned_gets_its_power_cycled(rig: Rig) -> None:
    before = rig.board.shell.get("/proc/sys/kernel/random/boot_id")
    rig.board.shell.run("echo -n /elsewhere >/sys/module/firmware_class/parameters/path")
    assert "firmware path /elsewhere" in map(str, rig.look_after("this"))
    assert rig.board.shell.get("/proc/sys/kernel/random/boot_id") != before
    assert rig.board.boots == 2
    assert "as init process" in rig.board.console.text()
    assert len(DeployedRuntime(rig.board.shell).processors()) == 2


def test_a_board_whose_runtime_something_else_changes_is_refused(stand: Stand, tmp_path: Path) -> None:
    with Rig(RemoteBoard(read_board_file(stand.board_file()), logs=tmp_path / "logs")) as rig:
        spoil_provision(rig.board)
        with pytest.raises(StaleRuntimeError, match=r"`hybrid_runtime/__init__\.py` differs"):
            rig.boot()


@pytest.mark.nightly
def test_without_a_switch_it_is_rebooted(stand: Stand, tmp_path: Path, rig: Rig) -> None:
    rig.board.close()
    with Rig(RemoteBoard(read_board_file(stand.board_file(power="")), logs=tmp_path / "logs")) as alone:
        alone.boot()
        with pytest.raises(RigError, match=r"has no switch\ngive its file a \[power\] section"):
            alone.board.power_off()
        alone.board.power_cycle(Deadline(60))
        assert alone.board.boots == 2
        assert "reboot: Restarting system" in (tmp_path / "logs/console.log").read_text()


@pytest.mark.parametrize(("beat", "holds"), [(0.2, True), (1000.0, False)], ids=["its host lives", "its host is gone"])
def test_a_run_that_says_nothing_loses_the_board(
    stand: Stand, rig: Rig, monkeypatch: pytest.MonkeyPatch, beat: float, holds: bool
) -> None:
    """A host that loses its power ends no connection. The loser is this process, so it would be asked again for long
    whether it still holds the board."""
    rig.board.close()
    monkeypatch.setattr(lease, "BEAT_S", beat)
    monkeypatch.setattr(lease, "SILENCE_S", 2.0)
    monkeypatch.setattr(lease, "OWN_S", 0.0)
    address = read_board_file(stand.board_file()).address
    first, second = Shell(BoardHealth()), Shell(BoardHealth())
    with closing(first), closing(second):
        first.connect(address, Deadline(PROOF_S))
        second.connect(address, Deadline(PROOF_S))
        silent, other = Lease("stand", address), Lease("stand", address)
        silent.take_there(first, Deadline(PROOF_S))
        with pytest.raises(BoardInUseError):
            other.take_there(second, Deadline(PROOF_S))
        time.sleep(2 * lease.SILENCE_S)
        with pytest.raises(BoardInUseError) if holds else nullcontext():
            other.take_there(second, Deadline(PROOF_S))
        silent.release()
        other.release()


def test_a_board_that_is_slow_to_answer_is_asked_again(
    rig: Rig, stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still be booting: before it is switched on it is asked in passing, and afterwards with patience."""
    rig.board.close()
    monkeypatch.setattr(remote, "ASK_S", 1.0)
    monkeypatch.setattr(lease, "_HOLDER", f"import time; time.sleep(2)\n{lease._HOLDER}")
    with RemoteBoard(read_board_file(stand.board_file()), logs=tmp_path / "logs") as slow:
        slow.power_on(Deadline(60))
        assert slow.shell.run("echo well").stdout == "well\n"


def test_a_runtime_of_the_board_s_own_is_kept(rig: Rig, stand: Stand, sandbox: Sandbox) -> None:
    """It is a package's perhaps, and somebody wants it back."""
    rig.board.shell.run("cd /usr/lib && rm -rf hybrid-runtime.own && cd hybrid-runtime && rm SHA256SUMS && touch mine")
    rig.board.close()
    said = []
    for _ in range(2):
        deploy = sandbox.hil("deploy", f"--board={stand.board_file()}")
        said.append(deploy.communicate(timeout=WHOLE_S)[0])
        assert deploy.returncode == 0, said
    assert ["is now in /usr/lib/hybrid-runtime.own" in text for text in said] == [True, False]
    seen = sandbox.hil("ssh", f"--board={stand.board_file()}", "ls /usr/lib/hybrid-runtime.own/mine")
    assert seen.communicate(timeout=WHOLE_S)[0] == "/usr/lib/hybrid-runtime.own/mine\n"


def test_a_deployment_waits_for_no_other_run(rig: Rig, stand: Stand, sandbox: Sandbox) -> None:
    deploy = sandbox.hil("deploy", f"--board={stand.board_file()}")
    said, _ = deploy.communicate(timeout=WHOLE_S)
    assert deploy.returncode == 1
    assert "the board `stand` is in use by" in said
    assert rig.look_after("this") == []


def test_one_run_at_a_time(rig: Rig, stand: Stand, tmp_path: Path) -> None:
    with pytest.raises(RigError, match="`stand` is in use by another run on this host"):
        RemoteBoard(read_board_file(stand.board_file()), logs=tmp_path / "other")
    words = [sys.executable, "-c", ALARM, str(stand.board_file(console="", **{"core-console": ""})), str(tmp_path)]
    # Another folder for locks is as good as another host. A short path: a long one would not be taken.
    with tempfile.TemporaryDirectory(prefix="elsewhere-", dir="/tmp") as elsewhere:
        environment = os.environ | {"XDG_RUNTIME_DIR": elsewhere}
        refused = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert f"process {os.getpid()}" in refused.stderr
    assert "the board `stand` is in use by" in refused.stderr
    assert rig.look_after("this") == []


@pytest.mark.parametrize(
    ("section", "text", "stage", "says"),
    [
        ("power", '[power]\non = ["false"]\noff = ["true"]\n', "power", "the power command `false` ended with 1"),
        ("power", '[power]\non = ["/no/such"]\noff = ["true"]\n', "power", "does not run: No such file"),
        ("console", '[console]\nurl = "/dev/no-such-tty"\n', "console", "`/dev/no-such-tty` does not open"),
        ("console", '[console]\nurl = "nonsense://x"\n', "console", "is no serial line"),
    ],
    ids=["switch", "no switch there", "no line there", "no line"],
)
def test_what_fails_is_named(
    stand: Stand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, section: str, text: str, stage: str, says: str
) -> None:
    # A line may come late: a USB adapter takes its time.
    monkeypatch.setattr(remote, "CONSOLE", replace(CONSOLE, seconds=1))
    description = read_board_file(stand.board_file(**{section: text}))
    with RemoteBoard(description, logs=tmp_path) as board, pytest.raises(StageError) as caught:
        board.power_on(Deadline(30))
    assert caught.value.stage == stage
    assert says in str(caught.value)
    assert "by hand: ssh -i" in str(caught.value)


def test_a_board_that_does_not_answer(stand: Stand, tmp_path: Path) -> None:
    silent = '[power]\non = ["true"]\noff = ["true"]\n'
    stand.close()
    head = 'name = "stand"\nkind = "remote"\nboot-seconds = 3\n'
    file = stand.board_file(head=head, power=silent, console="", **{"core-console": ""})
    with RemoteBoard(read_board_file(file), logs=tmp_path) as board, pytest.raises(StageError) as caught:
        board.power_on(Deadline(60))
    assert caught.value.stage == "ssh"
    assert "no SSH on port" in caught.value.cause


def test_pytest_on_it(stand: Stand, sandbox: Sandbox) -> None:
    """The suite's own tests; those that need more than a board file can give are skipped and say so."""
    here = Path(__file__).parent.parent
    tests = [here / "board/test_lifecycle.py", here / "board/test_power_cut.py"]
    choice = "create_start_logs or two_cores_at_once or test_power_cut"
    process = sandbox.pytest(f"--board={stand.board_file()}", "-rA", "-k", choice, *map(str, tests))
    output, _ = process.communicate(timeout=WHOLE_S)
    assert process.returncode == 0, output
    assert "needs the emulated board" in output
    assert " passed" in output
    assert "main: 1 boots" in output


LABGRID = """\
targets:
  main:
    resources:
    - NetworkService: {{address: 127.0.0.1, port: {ssh}, username: root}}
    - NetworkSerialPort: {{host: 127.0.0.1, port: {console}, protocol: raw}}
    - NetworkSerialPort: {{name: core-console, host: 127.0.0.1, port: {core}, protocol: raw}}
    drivers:
    - ExternalPowerDriver: {{cmd_on: {on}, cmd_off: {off}, delay: 0.1}}
"""


def labgrid_file(stand: Stand) -> Path:
    """The same board as labgrid knows it; processors and keys are the board file's own."""
    on, off = (repr(shlex.join(stand.switch(word))) for word in ("on", "off"))
    environment = LABGRID.format(ssh=stand.ssh, console=stand.console, core=stand.core_console, on=on, off=off)
    (stand.folder / "labgrid.yaml").write_text(environment)
    return stand.board_file(
        head='name = "place"\nkind = "labgrid"\nboot-seconds = 60\n',
        ssh=stand.ssh_section(""),
        power='[labgrid]\nenvironment = "labgrid.yaml"\n',
        console="",
        **{"core-console": ""},
    )


@pytest.mark.nightly
def test_a_board_of_labgrid_s(stand: Stand, tmp_path: Path) -> None:
    pytest.importorskip("labgrid", reason="labgrid is an extra: pip install 'hybrid-hil[labgrid]'")
    stand.close()
    with Rig(RemoteBoard(read_board_file(labgrid_file(stand)), logs=tmp_path)) as rig:
        rig.boot()
        heartbeat, runtime = rig.firmware("heartbeat"), DeployedRuntime(rig.board.shell)
        runtime.create("motor", heartbeat)
        runtime.start("motor")
        Witness(rig.board.core_console).started(heartbeat, Deadline(PROOF_S))
        rig.board.power_cycle(Deadline(60))
        assert "as init process" in rig.board.console.text()
        assert rig.board.boots == 2


def test_what_labgrid_refuses(stand: Stand) -> None:
    pytest.importorskip("labgrid", reason="labgrid is an extra: pip install 'hybrid-hil[labgrid]'")
    file = labgrid_file(stand)
    (stand.folder / "labgrid.yaml").write_text("targets: {}\n")
    with pytest.raises(RigError, match="has no target `main`"):
        read_board_file(file)
    (stand.folder / "labgrid.yaml").write_text("targets: {main: {resources: []}}\n")
    with pytest.raises(RigError, match="has no NetworkService"):
        read_board_file(file)
    (stand.folder / "labgrid.yaml").unlink()
    with pytest.raises(RigError, match="labgrid refuses"):
        read_board_file(file)


WHICH = """
import os, time
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(2))
def test_both_at_once(board, runtime, number):
    here = Path(os.environ["TMPDIR"])
    (here / f"{board.by_hand.split()[4]}.port").touch()
    end = time.monotonic() + 100
    while len(list(here.glob("*.port"))) < 2:
        assert time.monotonic() < end
        time.sleep(0.1)
    assert len(runtime.processors()) == 2
"""


def test_a_person_boots_it_and_looks_around(stand: Stand, sandbox: Sandbox) -> None:
    """Without a terminal its console is printed; Ctrl-C leaves it with its power on."""
    file = stand.board_file()
    own = "cd /usr/lib && rm -rf hybrid-runtime.own && mkdir -p hybrid-runtime && rm -f hybrid-runtime/SHA256SUMS"
    made = sandbox.hil("ssh", f"--board={file}", own)
    assert made.communicate(timeout=WHOLE_S)[0] == ""
    process = sandbox.hil("boot", f"--board={file}")
    assert process.stdout is not None
    told = ""
    for line in process.stdout:
        told += line
        if "is up after" in line:
            break
    assert "the board's own runtime is now in /usr/lib/hybrid-runtime.own" in told
    shell = sandbox.hil("ssh", f"--board={file}", "echo seen on the console >/dev/console; hybrid-runtime --version")
    said, _ = shell.communicate(timeout=WHOLE_S)
    assert "hybrid-runtime version" in said
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=WHOLE_S)
    assert "seen on the console" in rest
    assert process.returncode == 130
    again = sandbox.hil("ssh", f"--board={file}", "uname")
    assert again.communicate(timeout=WHOLE_S)[0] == "Linux\n"


@pytest.mark.nightly
def test_two_workers_and_a_board_file_for_each(stand: Stand, image: Image, sandbox: Sandbox, tmp_path: Path) -> None:
    suite = tmp_path / "test_suite.py"
    suite.write_text(WHICH)
    with (
        tempfile.TemporaryDirectory(prefix="stand-", dir="/tmp") as folder,
        closing(Stand(image, Path(folder))) as other,
    ):
        files = [f"--board={each.board_file()}" for each in (stand, other)]
        process = sandbox.pytest(f"--rootdir={tmp_path}", "-n2", *files, str(suite))
        output, _ = process.communicate(timeout=WHOLE_S)
        assert "2 passed" in output, output
        assert {f"{stand.ssh}.port", f"{other.ssh}.port"} <= {path.name for path in sandbox.folder.glob("*.port")}
        process = sandbox.pytest(f"--rootdir={tmp_path}", "-n2", files[0], str(suite))
        output, _ = process.communicate(timeout=WHOLE_S)
    assert "2 workers, but --board names 1: give one file for each worker" in output


# A test that minds no other Python on the board: the lease is held by one.
JUMP = "test_a_create_after_the_jump_takes_no_other_s_firmware[forwards]"


@pytest.mark.parametrize(
    ("exclusive", "says"),
    [("", "this fault strikes all of the board `stand`"), ("exclusive = true\n", "1 passed")],
    ids=["shared", "exclusive"],
)
def test_faults_that_strike_all_of_a_shared_board_are_skipped(
    stand: Stand, sandbox: Sandbox, exclusive: str, says: str
) -> None:
    clock = Path(__file__).parent.parent / "board/test_clock_jumps.py"
    board = stand.board_file(head=f'name = "stand"\nkind = "remote"\nboot-seconds = 60\n{exclusive}')
    process = sandbox.pytest(f"--board={board}", "-rA", f"{clock}::{JUMP}")
    output, _ = process.communicate(timeout=WHOLE_S)
    assert process.returncode == 0, output
    assert says in output
