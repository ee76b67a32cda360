"""A real board whose console carries rubbish, while it works and while it dies. About 20 s."""

import time
from collections.abc import Iterator

import pytest

from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.console import ConsoleError
from hybrid_hil.deadline import Deadline
from hybrid_hil.image import Image
from hybrid_hil.shell import ShellError

BOOT_S = 60.0
NOISE_BYTES = 300_000
# Without line ends, so that the kernel's next word comes in the middle of a line.
NOISE = f"head -c {NOISE_BYTES} /dev/urandom | tr '\\n\\r' '  ' >/dev/ttyAMA0"


@pytest.fixture(scope="module")
def board(image: Image) -> Iterator[QemuBoard]:
    """A board of this file's own: it does not live long."""
    with QemuBoard(image) as fresh:
        fresh.power_on(Deadline(BOOT_S))
        yield fresh


def test_noise_disturbs_neither_commands_nor_what_is_said_after_it(board: QemuBoard) -> None:
    mark = board.console.mark()
    assert board.shell.run(f"{NOISE}; echo done").stdout == "done\n"
    board.shell.run("printf '\\nquiet again\\nhalf a li' >/dev/ttyAMA0")
    assert board.console.expect("^quiet again$", Deadline(20), since=mark)
    with pytest.raises(ConsoleError, match="did not show"):
        board.console.expect("half a li", Deadline(0.3), since=mark)
    assert board.health.cause is None
    # A serial line may lose bytes when it is flooded; this one is emulated and must not.
    assert len(board.console.text(mark).encode()) >= NOISE_BYTES
    assert all(line.replace("\t", " ").isprintable() for line in board.console.tail().split("\n"))


def test_a_panic_amid_noise_ends_the_wait_at_once(board: QemuBoard) -> None:
    begun = time.monotonic()
    with pytest.raises(ShellError, match="Kernel panic - not syncing: sysrq triggered crash"):
        board.shell.run(f"{NOISE}; echo c >/proc/sysrq-trigger; sleep 60", deadline=Deadline(60))
    assert time.monotonic() - begun < Deadline(20).seconds
