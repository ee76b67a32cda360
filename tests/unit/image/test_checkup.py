"""The doctor's findings: what keeps the rig from working is told apart from what does not, with a remedy."""

import urllib.error
from pathlib import Path

import pytest

from hybrid_hil.board.run_folder import runs_root
from hybrid_hil.command import checkup
from hybrid_hil.command.checkup import (
    judge_python,
    judge_runs,
    judge_space,
    look_at_cache,
    look_at_mirror,
    look_at_need,
    look_at_qemu,
    version_of,
)
from hybrid_hil.failure import RigError
from hybrid_hil.host import Need
from hybrid_hil.host.emulator import judge_machines, judge_qemu
from hybrid_hil.host.finding import Severity
from hybrid_hil.image.debian.mirror import Mirror
from hybrid_hil.image.store import Store
from tests.emulator_double import write_emulator

MIRROR = Mirror("http://mirror.example/debian", "http://mirror.example/debian-security")


@pytest.mark.parametrize(
    ("banner", "severity", "found"),
    [
        ("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", Severity.OK, "7.2"),
        ("QEMU emulator version 10.0.13", Severity.OK, "10.0"),
        ("QEMU emulator version 6.2.0 (Debian 1:6.2+dfsg-2ubuntu6)", Severity.FAIL, "6.2"),
        ("error while loading shared libraries", Severity.FAIL, "unreadable"),
    ],
)
def test_qemu_version(banner: str, severity: Severity, found: str) -> None:
    finding = judge_qemu(banner)
    assert finding.severity is severity
    assert found in finding.found
    assert bool(finding.remedy) is (severity is Severity.FAIL)


def test_the_qemu_that_is_meant_is_looked_at(tmp_path: Path) -> None:
    (missing,) = look_at_qemu(str(tmp_path / "qemu"))
    assert missing.severity is Severity.FAIL
    assert "`hil qemu`" in missing.remedy
    there = write_emulator(tmp_path / "qemu", "QEMU emulator version 6.2.0", "virt  ARM")
    assert [finding.severity for finding in look_at_qemu(str(there))] == [Severity.OK, Severity.FAIL, Severity.FAIL]


@pytest.mark.parametrize(
    ("listing", "severity"),
    [
        ("virt   QEMU 7.2 ARM Virtual Machine\nxlnx-versal-virt     Xilinx Versal Virtual\n", Severity.OK),
        ("virt   QEMU 7.2 ARM Virtual Machine\nxlnx-zcu102          Xilinx\n", Severity.FAIL),
    ],
)
def test_qemu_machine(listing: str, severity: Severity) -> None:
    assert judge_machines(listing).severity is severity


@pytest.mark.parametrize(
    ("version", "severity"),
    [((3, 11), Severity.OK), ((3, 14), Severity.OK), ((3, 10), Severity.FAIL), ((2, 7), Severity.FAIL)],
)
def test_python_version(version: tuple[int, int], severity: Severity) -> None:
    assert judge_python(version).severity is severity


def test_space_tells_both_amounts() -> None:
    assert judge_space("/cache", 5000, 4000).severity is Severity.OK
    finding = judge_space("/cache", 100, 4000)
    assert finding.severity is Severity.FAIL
    assert "100 MiB free at /cache, 4000 MiB needed" in finding.found


@pytest.mark.parametrize(
    ("free", "severity"),
    [(31, Severity.FAIL), (32, Severity.NOTE), (127, Severity.NOTE), (128, Severity.OK)],
)
def test_room_for_boards(free: int, severity: Severity) -> None:
    finding = judge_runs("/run/user/1000/hybrid-hil", free)
    assert (finding.severity, bool(finding.remedy)) == (severity, severity is not Severity.OK)
    assert finding.found.startswith(f"{free} MiB free at /run/user/1000/hybrid-hil")


def test_the_disk_of_the_run_folders_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "free_mebibytes", lambda folder: 1 if folder == runs_root() else 10_000)
    monkeypatch.setattr(checkup, "look_at_cache", lambda _: [])
    found = {finding.subject: finding.severity for finding in checkup.findings()}
    assert found["run folders"] is Severity.FAIL


def test_missing_need_names_its_package() -> None:
    finding = look_at_need(Need("/no/such/file", "its-package"))
    assert finding.severity is Severity.FAIL
    assert "`its-package`" in finding.remedy


def test_what_only_tests_need_is_noted() -> None:
    finding = look_at_need(Need("/no/such/file", "its-package"), Severity.NOTE)
    assert finding.severity is Severity.NOTE
    assert finding.remedy == "install the package `its-package`: tests are skipped without it"


def test_version_is_read_only_where_it_matters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("gcc", "mke2fs", "sh"):
        (tmp_path / name).write_text("#!/bin/sh\necho $0 $1 12.2.0\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert version_of("gcc") == version_of("mke2fs") == "12.2.0"
    assert version_of("sh") is None
    assert version_of("no-such-command") is None


def test_mirror_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "find_mirror", lambda: MIRROR)
    asked: list[str] = []
    assert look_at_mirror(asked.append).severity is Severity.OK
    assert asked == ["http://mirror.example/debian/dists/bookworm/Release"]


def test_mirror_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "find_mirror", lambda: MIRROR)

    def refuse(_: str) -> None:
        raise urllib.error.URLError("no route")

    finding = look_at_mirror(refuse)
    assert finding.severity is Severity.FAIL
    assert "no route" in finding.found
    assert "HYBRID_HIL_DEBIAN_MIRROR" in finding.remedy


def test_no_mirror_configured_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "find_mirror", lambda: None)
    assert look_at_mirror().severity is Severity.NOTE


def subjects(store: Store) -> dict[str, Severity]:
    return {finding.subject: finding.severity for finding in look_at_cache(store)}


def test_warm_cache_asks_for_no_network(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "missing_kinds", lambda _: [])
    assert subjects(store) == {"image": Severity.OK, "disk space": Severity.OK}


def test_cold_cache_asks_the_mirror(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "missing_kinds", lambda _: ["source", "kernel", "rootfs"])
    monkeypatch.setattr(checkup, "find_mirror", lambda: None)
    monkeypatch.setattr(checkup, "free_mebibytes", lambda _: 100)
    assert subjects(store) == {
        "image": Severity.NOTE,
        "disk space": Severity.FAIL,
        "Debian mirror": Severity.NOTE,
    }


def test_unknown_state_of_the_cache_is_noted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Store) -> list[str]:
        raise RigError("this machine has no `dtc`", "install it")

    monkeypatch.setattr(checkup, "missing_kinds", fail)
    assert subjects(store) == {"image": Severity.NOTE}
