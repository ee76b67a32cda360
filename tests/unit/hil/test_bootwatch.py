"""The stages of boots, timed as a board tells them."""

import pytest

from hybrid_hil.board.stages import FIRMWARE, StageError
from hybrid_hil.device.bootwatch import BootWatch
from hybrid_hil.failure import RigError
from hybrid_hil.report.record import StageTime


def test_stages_fill_a_boot_from_its_first_moment_to_its_last() -> None:
    watch = BootWatch(iter((10.0, 11.0, 14.0, 20.0)).__next__)
    with watch.boot():
        watch.stage("firmware")
        watch.stage("kernel")
    (boot,) = watch.boots
    assert boot.stages == (StageTime("firmware", 4.0), StageTime("kernel", 6.0))
    assert boot.seconds == 10.0
    assert not boot.failed


def test_a_boot_without_a_stage_is_one_of_its_power() -> None:
    watch = BootWatch(iter((10.0, 11.0)).__next__)
    with watch.boot():
        pass
    assert watch.boots[0].stages == (StageTime("power", 1.0),)


def hang(watch: BootWatch) -> None:
    with watch.boot():
        watch.stage("firmware")
        raise RigError("it hangs")


def end_at_once(watch: BootWatch) -> None:
    with watch.boot():
        raise StageError(FIRMWARE, "QEMU ended with 1", "", "")


def test_a_boot_that_told_no_stage_has_that_of_its_error() -> None:
    watch = BootWatch()
    with pytest.raises(StageError):
        end_at_once(watch)
    assert [stage.name for stage in watch.boots[0].stages] == ["firmware"]


def test_a_boot_that_fails_is_kept_with_the_stage_it_failed_in() -> None:
    watch = BootWatch()
    with watch.boot():
        watch.stage("restore")
    with pytest.raises(RigError):
        hang(watch)
    assert [(boot.failed, [stage.name for stage in boot.stages]) for boot in watch.boots] == [
        (False, ["restore"]),
        (True, ["firmware"]),
    ]
