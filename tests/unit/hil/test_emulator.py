"""Which QEMU is meant, and that one that cannot run boards is refused before anything is booted."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.emulator import chosen_qemu, named_qemu
from tests.emulator_double import write_emulator

NEW = "QEMU emulator version 10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)"


@pytest.mark.parametrize(
    ("choice", "environment", "meant"),
    [
        (None, {}, "qemu-system-aarch64"),
        (None, {"HYBRID_HIL_QEMU": ""}, "qemu-system-aarch64"),
        (None, {"HYBRID_HIL_QEMU": "/a/qemu"}, "/a/qemu"),
        ("/b/qemu", {"HYBRID_HIL_QEMU": "/a/qemu"}, "/b/qemu"),
    ],
)
def test_option_then_variable_then_path(choice: str | None, environment: dict[str, str], meant: str) -> None:
    assert named_qemu(choice, environment) == meant


def test_a_fit_one_is_asked_once(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    program = write_emulator(tmp_path / "qemu", NEW, asked=str(asked))
    assert [chosen_qemu(str(program)) for _ in range(3)] == [str(program)] * 3
    assert asked.read_text().splitlines() == ["--version", "-machine help"]


def test_the_variable_reaches_every_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write_emulator(tmp_path / "qemu", NEW)
    monkeypatch.setenv("HYBRID_HIL_QEMU", str(program))
    assert chosen_qemu(None) == str(program)


@pytest.mark.parametrize(
    ("banner", "machines", "complaint"),
    [
        ("QEMU emulator version 6.2.0", "xlnx-versal-virt  Xilinx", "cannot run boards: QEMU version 6.2"),
        (NEW, "virt  QEMU 10.0 ARM Virtual Machine", "cannot run boards: QEMU machine no xlnx-versal-virt"),
        ("rubbish", "xlnx-versal-virt  Xilinx", "cannot run boards: QEMU version unreadable: `rubbish`"),
    ],
)
def test_an_unfit_one_is_refused(tmp_path: Path, banner: str, machines: str, complaint: str) -> None:
    program = write_emulator(tmp_path / "qemu", banner, machines)
    with pytest.raises(RigError, match=complaint) as refused:
        chosen_qemu(str(program))
    assert f"`{program}`" in refused.value.message
    assert "`hil qemu`" in refused.value.remedy
    assert refused.value.exit_code == 2


def test_one_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"no program `.*nowhere` to run boards in"):
        chosen_qemu(str(tmp_path / "nowhere"))
