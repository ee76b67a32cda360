"""Boards that begin as one that was booted before: they are as good as booted ones, and sooner there."""

import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.board import snapshot
from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.board.snapshot import SnapshotCache
from hybrid_hil.deadline import Deadline
from hybrid_hil.device import rig as rig_module
from hybrid_hil.device.deployment import checkout_payload, runtime_payload
from hybrid_hil.device.inspection import StaleRuntimeError, require_deployed
from hybrid_hil.device.proof import Witness, check_rising
from hybrid_hil.device.rig import Rig
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.cache import Cache
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import Image
from tests.rig.spoiled_provision import spoil_provision

PROOF_S = 10.0
CLOCK_MAY_DIFFER_S = 5


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """A cache of its own, without the user's snapshots."""
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def prepared(image: Image, cache: Cache) -> str:
    """What a board was provisioned with that was booted, and kept."""
    fingerprint = secrets.token_hex(8)
    with rig_of(image, cache, fingerprint) as rig:
        rig.boot()
        assert (rig.board.boots, rig.board.restores) == (1, 0)
    return fingerprint


def rig_of(image: Image, cache: Cache, fingerprint: str) -> Rig:
    return Rig(QemuBoard(image, QemuOptions(prepared=fingerprint), owner="tests", snapshots=SnapshotCache(cache)))


@pytest.fixture
def rig(image: Image, cache: Cache, prepared: str) -> Iterator[Rig]:
    with rig_of(image, cache, prepared) as rig:
        rig.boot()
        assert (rig.board.boots, rig.board.restores) == (0, 1)
        yield rig


def test_firmware_lives_on_a_restored_board_and_proves_it(rig: Rig) -> None:
    """The emulated cores, their memory and the mailbox come back as well: both cores, and RPMsg's vrings."""
    runtime, witness = DeployedRuntime(rig.board.shell), Witness(rig.board.core_console)
    for core in (0, 1):
        heartbeat = rig.firmware("heartbeat", core=core)
        runtime.create("motor", heartbeat)
        runtime.start("motor")
        witness.started(heartbeat, Deadline(PROOF_S))
        witness.beating(heartbeat, Deadline(PROOF_S))
        runtime.delete("motor", force=True)
        witness.silent(heartbeat)
    assert rig.look_after("this") == []


def test_a_dirty_board_is_restored_while_its_core_runs(rig: Rig) -> None:
    """In the QEMU that runs: what the core does is gone, and so is what was written."""
    shell, witness = rig.board.shell, Witness(rig.board.core_console)
    heartbeat = rig.firmware("heartbeat")
    shell.run(f"cp {heartbeat.path_on_board} /lib/firmware/left.elf; sync")
    shell.run("echo left.elf >/sys/class/remoteproc/remoteproc0/firmware")
    shell.run("echo start >/sys/class/remoteproc/remoteproc0/state")
    witness.started(heartbeat, Deadline(PROOF_S))
    shell.run("echo -n /elsewhere >/sys/module/firmware_class/parameters/path")
    assert rig.look_after("this")
    assert (rig.board.boots, rig.board.restores) == (0, 2)
    witness.silent(heartbeat)
    assert shell.run(["ls", "/lib/firmware"]).stdout == ""
    assert shell.run("cat /sys/class/remoteproc/remoteproc0/state").stdout == "offline\n"
    again = rig.firmware("hello")
    runtime = DeployedRuntime(shell)
    runtime.create("motor", again)
    runtime.start("motor")
    # Its counter is as it was kept, too.
    check_rising([witness.started(again, Deadline(PROOF_S))], 1)
    runtime.delete("motor", force=True)


def test_it_knows_the_time_and_its_randomness_is_its_own(image: Image, cache: Cache, prepared: str) -> None:
    drawn = []
    for _ in range(2):
        with rig_of(image, cache, prepared) as rig:
            rig.boot()
            there = float(rig.board.shell.run("date +%s").stdout)
            assert abs(there - time.time()) < CLOCK_MAY_DIFFER_S
            drawn.append(rig.board.shell.run("head -c 16 /dev/urandom | od -An -tx1").stdout)
    assert drawn[0] != drawn[1]


def test_a_dead_qemu_is_restored_in_a_fresh_one(rig: Rig) -> None:
    board = rig.board
    assert isinstance(board, QemuBoard)
    before = board.qemu_pid
    board.power_off()
    assert rig.look_after("this")
    assert board.restores == 2
    assert board.qemu_pid != before
    assert len(DeployedRuntime(board.shell).processors()) == 2


def test_a_damaged_snapshot_is_booted_over(image: Image, cache: Cache, prepared: str) -> None:
    (folder,) = (cache.path(component) for component in cache.components(snapshot.KIND))
    disk = folder / snapshot.DISK
    disk.write_bytes(disk.read_bytes()[: disk.stat().st_size // 3])
    with rig_of(image, cache, prepared) as rig:
        rig.boot()
        assert (rig.board.boots, rig.board.restores) == (1, 0)
    with rig_of(image, cache, prepared) as rig:
        rig.boot()
        assert (rig.board.boots, rig.board.restores) == (0, 1)


def test_a_kept_board_with_another_runtime_is_booted_over(
    image: Image, cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if its key had left out what the runtime is: one that agrees with itself, of another checkout."""
    key = secrets.token_hex(8)
    other = tmp_path / "runtime"
    shutil.copytree(checkout_root() / "runtime", other, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "hybrid_runtime/__init__.py").open("a") as module:
        module.write("OF_ANOTHER_CHECKOUT = True\n")
    with monkeypatch.context() as patch:
        patch.setattr(rig_module, "checkout_payload", lambda: runtime_payload(other))
        with rig_of(image, cache, key) as rig:
            rig.boot()
    with rig_of(image, cache, key) as rig:
        rig.boot()
        assert (rig.board.boots, rig.board.restores) == (1, 0)
        (said,) = rig.account.stale
        assert "the runtime on the board is not this checkout's" in said
        assert "`hybrid_runtime/__init__.py` differs" in said
        require_deployed(rig.board.shell, checkout_payload(), Deadline(PROOF_S))
    with rig_of(image, cache, key) as rig:
        rig.boot()
        assert (rig.board.boots, rig.board.restores, rig.account.stale) == (0, 1, [])


def test_a_board_whose_runtime_something_else_changes_is_refused_and_not_kept(image: Image, cache: Cache) -> None:
    kept = cache.components(snapshot.KIND)
    with rig_of(image, cache, secrets.token_hex(8)) as rig:
        spoil_provision(rig.board)
        with pytest.raises(StaleRuntimeError, match=r"`hybrid_runtime/__init__\.py` differs"):
            rig.boot()
    assert cache.components(snapshot.KIND) == kept
