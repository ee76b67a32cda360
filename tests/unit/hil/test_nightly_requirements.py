"""What a night finds on a machine, and why it does without the rest."""

from pathlib import Path

import pytest

from hybrid_hil.image.debian.emulator import LAUNCHER, NEWEST, emulator_component
from hybrid_hil.image.store import Store
from hybrid_hil.nightly.requirements import against_buildroot, against_emulator, against_host, against_root
from tests.emulator_double import write_emulator

HOSTS = "QEMU emulator version 7.2.22"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty one, on a machine with a QEMU of its own and no word about Buildroot."""
    monkeypatch.setenv("HYBRID_HIL_QEMU", str(write_emulator(tmp_path / "qemu", HOSTS)))
    monkeypatch.delenv("BUILDROOT", raising=False)
    return Store(tmp_path / "cache")


def fetched(store: Store, banner: str) -> None:
    folder = store.path(emulator_component(NEWEST))
    folder.mkdir(parents=True)
    write_emulator(folder / LAUNCHER, banner)


def test_an_empty_cache_has_neither_a_newer_qemu_nor_a_buildroot_image(store: Store) -> None:
    assert against_host() == ""
    assert against_emulator(store, NEWEST) == "no such QEMU in the cache: `hil qemu --release newest` fetches it"
    assert "`hil image build --from buildroot` makes it" in against_buildroot(store)


@pytest.mark.parametrize(
    ("banner", "reason"),
    [("QEMU emulator version 10.0.13", ""), ("QEMU emulator version 7.2.1", "the host's QEMU is 7.2 as well")],
)
def test_a_newer_qemu_has_to_be_newer(store: Store, banner: str, reason: str) -> None:
    fetched(store, banner)
    assert against_emulator(store, NEWEST) == reason


def test_named_sources_are_built_from(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUILDROOT", "/src/buildroot")
    assert against_buildroot(store) == ""


def test_a_user_makes_no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert "root" in against_root()
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert against_root() == ""


def test_without_a_qemu_the_host_lacks_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYBRID_HIL_QEMU", "/nowhere")
    assert "no program `/nowhere`" in against_host()
    fetched(store, "QEMU emulator version 10.0.13")
    assert against_emulator(store, NEWEST) == ""
