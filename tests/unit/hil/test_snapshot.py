"""Which snapshots are kept, found and used."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_hil.board.layout import ONE_CORE
from hybrid_hil.board.options import QemuOptions, snapshot_key
from hybrid_hil.board.snapshot import DISK, KIND, MOST_KEPT, Snapshot, SnapshotCache, copy, key_of, worth_it
from hybrid_hil.failure import RigError
from hybrid_hil.host.cache import Cache
from hybrid_hil.image import Image


@pytest.mark.parametrize(
    ("restored", "worth"),
    [((), True), ((9.0, 9.0), True), ((9.0, 1.0, 1.0), True), ((9.0, 9.0, 1.0), False), ((5.0, 5.0, 5.0), False)],
)
def test_a_restore_that_is_no_faster_is_given_up_once_that_is_known(restored: tuple[float, ...], worth: bool) -> None:
    assert worth_it(Snapshot(Path(), 5.0, restored)) is worth


def test_every_part_of_a_key_counts_and_where_it_ends() -> None:
    keys = {key_of("ab", "c"), key_of("a", "bc"), key_of("ab", "c", ""), key_of("c", "ab")}
    assert len(keys) == 4


def test_whatever_makes_a_board_what_it_is_counts_in_its_key() -> None:
    image = Image(Path("/cache/image/0123"), {"created": "2026-01-01T00:00:00"})
    stock = QemuOptions(prepared="fingerprint of a runtime")
    boards = [
        (image, stock, "7.2.22"),
        (image, stock, "10.0.0"),
        (replace(image, folder=Path("/cache/image/4567")), stock, "7.2.22"),
        (replace(image, manifest={"created": "2026-01-02T00:00:00"}), stock, "7.2.22"),
        (image, replace(stock, prepared="fingerprint of another"), "7.2.22"),
        (image, replace(stock, layout=ONE_CORE), "7.2.22"),
        (image, replace(stock, guest_port=2222), "7.2.22"),
        (image, replace(stock, kernel_arguments=("nosmp",)), "7.2.22"),
    ]
    assert len({snapshot_key(*board) for board in boards}) == len(boards)
    assert snapshot_key(*boards[0]) == snapshot_key(image, replace(stock), "7.2.22")


def test_a_kept_board_is_found_with_its_times(tmp_path: Path) -> None:
    snapshots, disk = SnapshotCache(Cache(tmp_path / "cache")), tmp_path / "disk"
    disk.write_bytes(b"memory and all")
    assert snapshots.find("k") is None
    snapshots.keep("k", disk, 4.5)
    found = snapshots.find("k")
    assert found is not None
    assert (found.disk.read_bytes(), found.boot_s, found.restored_s) == (b"memory and all", 4.5, ())
    snapshots.note(found, 1.25)
    again = snapshots.find("k")
    assert again is not None
    assert again.restored_s == (1.25,)
    snapshots.drop("k")
    assert snapshots.find("k") is None


def test_the_oldest_make_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    snapshots, disk = SnapshotCache(cache), tmp_path / "disk"
    disk.write_bytes(b"x")
    for number in range(MOST_KEPT + 2):
        snapshots.keep(f"k{number}", disk, 1.0)
        for older, component in enumerate(reversed(cache.components(KIND))):
            os.utime(cache.path(component), (older, older))
    assert [component.digest for component in cache.components(KIND)] == ["k5", "k4", "k3", "k2"]


@pytest.mark.parametrize("facts", ["", "{", "[]", "{}", '{"boot_s": "soon"}', '{"boot_s": null}'])
def test_damaged_facts_are_no_snapshot(tmp_path: Path, facts: str) -> None:
    folder = tmp_path / "cache" / KIND / "k"
    folder.mkdir(parents=True)
    (folder / "facts.json").write_text(facts)
    (folder / DISK).touch()
    assert SnapshotCache(Cache(tmp_path / "cache")).find("k") is None


def test_a_copy_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    source, target = tmp_path / "disk", tmp_path / "copy"
    source.write_bytes(b"memory and all")
    target.symlink_to("/dev/full")
    with pytest.raises(RigError, match="No space left on device"):
        copy(source, target)
    assert list(tmp_path.iterdir()) == [source]
