"""Cleaning keeps what was used last, whole, and nothing else."""

import os
from pathlib import Path

import pytest

from hybrid_hil.image.folder import write_manifest
from hybrid_hil.image.retention import everything, superfluous
from hybrid_hil.image.store import Component, Store

KEYS = Component("keys", "ed25519")
DOWNLOADS = Component("downloads", "buildroot")
SOURCE = Component("source", "5000")
OLD_KERNEL, KERNEL = Component("kernel", "1000"), Component("kernel", "1001")
ROOTFS = Component("rootfs", "2000")
OLD_IMAGE, IMAGE = Component("image", "3000"), Component("image", "3001")


def place(store: Store, component: Component) -> Path:
    folder = store.path(component)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def filled(store: Store) -> Store:
    """Two images that share a root file system; the newer one was used last."""
    for component in (KEYS, DOWNLOADS, SOURCE, OLD_KERNEL, KERNEL, ROOTFS):
        place(store, component)
    for image, kernel, used in ((IMAGE, KERNEL, 2000), (OLD_IMAGE, OLD_KERNEL, 1000)):
        folder = place(store, image)
        parts = (kernel, ROOTFS, SOURCE)
        write_manifest(folder, {"components": {part.kind: part.digest for part in parts}})
        os.utime(folder, (used, used))
    return store


def test_shared_parts_stay_with_the_image_kept(filled: Store) -> None:
    assert set(superfluous(filled, keep=1)) == {OLD_IMAGE, OLD_KERNEL}


def test_nothing_is_superfluous_when_all_is_kept(filled: Store) -> None:
    assert superfluous(filled, keep=2) == []


def test_keeping_none_leaves_the_keys_and_what_was_downloaded(filled: Store) -> None:
    assert set(superfluous(filled, keep=0)) == set(everything(filled)) - {KEYS, DOWNLOADS}


def test_the_place_a_kept_image_was_built_in_stays(filled: Store) -> None:
    output, other = Component("output", "6000"), Component("output", "6001")
    image = place(filled, Component("image", "3002"))
    for component in (output, other):
        place(filled, component)
    write_manifest(image, {"components": {"output": output.digest}})
    assert output not in superfluous(filled, keep=3)
    assert other in superfluous(filled, keep=3)


def test_parts_of_no_image_go(filled: Store) -> None:
    orphan = Component("platform", "4000")
    place(filled, orphan)
    assert superfluous(filled, keep=2) == [orphan]


def test_everything_includes_the_keys(filled: Store) -> None:
    assert KEYS in everything(filled)
    for component in everything(filled):
        filled.remove(component)
    assert everything(filled) == []
