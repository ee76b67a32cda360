"""A build that cannot succeed is refused before it begins, with everything it lacks at once."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host import buildroot_needs, needs
from hybrid_hil.image import prerequisites
from hybrid_hil.image.debian.packages import KEYRING
from hybrid_hil.image.debian.toolchain import CORE_COMPILER, LINUX_COMPILER
from hybrid_hil.image.prerequisites import (
    THINGS,
    check_prerequisites,
    free_mebibytes,
    missing_packages,
    needed_mebibytes,
)


def test_everything_a_build_asks_for_is_in_the_list_of_packages() -> None:
    listed = {need.thing for need in (*needs(), *buildroot_needs())}
    assert {thing for things in THINGS.values() for thing in things} <= listed


def test_what_the_recipes_use_is_asked_for() -> None:
    assert {KEYRING} <= set(THINGS["source"]) & set(THINGS["rootfs"]) & set(THINGS["emulator"])
    assert LINUX_COMPILER in THINGS["kernel"]
    assert {LINUX_COMPILER, CORE_COMPILER} <= set(THINGS["platform"])


def test_all_missing_packages_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites, "THINGS", {"kernel": ("no-bc", "no-flex", "sh"), "rootfs": ("no-bc",)})
    with pytest.raises(RigError, match="lacks no-bc, no-flex") as raised:
        check_prerequisites(tmp_path, ["kernel", "rootfs"])
    assert raised.value.remedy == "apt-get install no-bc no-flex"
    assert missing_packages(["platform"]) == []


def test_room_is_for_the_largest_and_what_the_others_leave() -> None:
    assert needed_mebibytes([]) == 0
    assert needed_mebibytes(["platform"]) < needed_mebibytes(["kernel"]) < needed_mebibytes(["kernel", "rootfs"])


def test_free_space_is_known_before_the_folder_is_made(tmp_path: Path) -> None:
    assert free_mebibytes(tmp_path / "not/yet") == free_mebibytes(tmp_path)


def test_nothing_to_build_needs_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(prerequisites, "free_mebibytes", lambda _: 0)
    check_prerequisites(tmp_path, [])
