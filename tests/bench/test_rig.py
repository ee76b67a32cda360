"""What the rig costs: its boots and restores beside a bare QEMU with the same image, and its care after a test."""

import shutil
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from hybrid_hil.board.options import QemuOptions
from hybrid_hil.board.qemu import BOOT_S, QemuBoard
from hybrid_hil.board.snapshot import SnapshotCache
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import checkout_payload
from hybrid_hil.device.rig import Rig
from hybrid_hil.host.cache import Cache
from hybrid_hil.image import Image
from tests.bench.measured import Note, Row, ratio_row

PROMPT = r"hybrid-board:\S* ?# "
LOOKS = 20


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnapshotCache]:
    """A cache of its own: nobody else's board is there yet."""
    folder = tmp_path_factory.mktemp("cache")
    yield SnapshotCache(Cache(folder))
    shutil.rmtree(folder)


def timed_bare(image: Image, folder: Path) -> float:
    """Seconds from QEMU's start to the shell's prompt, by the command line that errors show."""
    with QemuBoard(image, owner="bench") as board:
        by_hand = board.by_hand
    begun = time.monotonic()
    qemu = pexpect.spawn("sh", ["-c", f"exec {by_hand}"], cwd=str(folder), timeout=Deadline(BOOT_S).remaining())
    qemu.expect(PROMPT)
    took = time.monotonic() - begun
    qemu.close(force=True)
    return took


def timed_boot(image: Image) -> float:
    """Seconds to the first command that SSH answers."""
    with QemuBoard(image, owner="bench") as board:
        begun = time.monotonic()
        board.power_on(Deadline(BOOT_S))
        return time.monotonic() - begun


def timed_restores(image: Image, snapshots: SnapshotCache) -> tuple[float, float, list[float]]:
    """Seconds to a board that answers and has the runtime: in a fresh QEMU, and in the one that runs; and of the looks
    that follow a test."""
    options = QemuOptions(prepared=checkout_payload().fingerprint)
    with Rig(QemuBoard(image, options, owner="bench", snapshots=snapshots)) as rig:
        begun = time.monotonic()
        rig.board.power_on(Deadline(BOOT_S))
        fresh = time.monotonic() - begun
        rig.boot()
        begun = time.monotonic()
        rig.board.power_cycle(Deadline(BOOT_S))
        return fresh, time.monotonic() - begun, [timed_look(rig) for _ in range(LOOKS)]


def timed_look(rig: Rig) -> float:
    begun = time.monotonic()
    assert rig.look_after("nothing") == []
    return time.monotonic() - begun


def test_boots_and_restores(
    pytestconfig: pytest.Config, image: Image, snapshots: SnapshotCache, tmp_path: Path, note: Note
) -> None:
    bare, booted, restored, renewed, looks = [], [], [], [], []
    timed_restores(image, snapshots)  # the first one boots, and is kept
    for _ in range(pytestconfig.getoption("--boots")):
        bare.append(timed_bare(image, tmp_path))
        booted.append(timed_boot(image))
        fresh, again, seconds = timed_restores(image, snapshots)
        restored.append(fresh)
        renewed.append(again)
        looks += seconds
    rows = [
        note(Row("bare QEMU to its shell's prompt", statistics.median(bare), None, "s")),
        note(ratio_row("boot to SSH, of bare QEMU", booted, bare, 1.6)),
        note(ratio_row("restore in a fresh QEMU, with the runtime, of bare QEMU", restored, bare, 1.0)),
        note(ratio_row("restore of a dirty board, of bare QEMU", renewed, bare, 1.0)),
        note(Row("a look at a clean board after a test", statistics.median(looks), 0.5, "s")),
    ]
    assert all(row.holds for row in rows), rows
