"""The platform firmware by itself: a payload in Linux' place makes every call, right and malformed, and counts."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root

WHOLE_S = 300.0
HONEST = "monitor.elf"
# The honest one, with every register spoilt that its C code may spoil.
SPOILS = "monitor-spoils.elf"


def check(sources: Path, folder: Path, monitor: str) -> subprocess.CompletedProcess[str]:
    """`make check` with its own output folder."""
    command = ["make", "-C", str(sources), "check", f"O={folder}", f"CHECKED_MONITOR={monitor}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=WHOLE_S, check=False)


@pytest.mark.parametrize("monitor", [HONEST, SPOILS])
def test_every_call_is_answered_and_malformed_ones_get_an_error(tmp_path: Path, monitor: str) -> None:
    done = check(checkout_root() / "qemu", tmp_path, monitor)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("monitor", ["monitor-wakeup-lies.elf", "monitor-powerdown-lies.elf"])
def test_the_check_finds_a_monitor_that_lies(tmp_path: Path, monitor: str) -> None:
    done = check(checkout_root() / "qemu", tmp_path, monitor)
    assert done.returncode != 0
    assert "FAIL" in done.stdout.upper()


@dataclass(frozen=True)
class Defect:
    """A monitor whose source has `wrong` in the place of `right`, and what the check says of it."""

    file: str
    right: str
    wrong: str
    said: str
    monitor: str = HONEST


DEFECTS = {
    "stops-both-cores": Defect(
        "power.c", "(CRL_RST_CPU_R5) | (1u << core)", "(CRL_RST_CPU_R5) | 3u", "the neighbour runs on: 0"
    ),
    "starts-both-cores": Defect(
        "power.c", "(CRL_RST_CPU_R5) & ~(1u << core)", "(CRL_RST_CPU_R5) & ~3u", "core is halted: 1"
    ),
    "stops-what-is-starting-too-soon": Defect(
        "power.c", "if (!await(core, PSCI_ON))", "if (false)", "it never starts after that"
    ),
    "starts-what-is-stopping-too-soon": Defect(
        "power.c", "if (!await(core, PSCI_OFF))", "if (false)", "a core that does not stop is not said to start: 0"
    ),
    "does-not-wait-for-a-start": Defect(
        "power.c", "return await(core, PSCI_ON)", "return true", "a wake-up returns when the core runs"
    ),
    "does-not-wait-for-a-stop": Defect(
        "power.c", "return await(core, PSCI_OFF)", "return true", "a power-down returns when the core has stopped"
    ),
    "has-no-lock": Defect("smc.c", "    lock_take(&calls);\n", "", "a call waits for the other processor's"),
    "loses-x9": Defect("entry.S", "ldp x8, x9, [sp, #64]", "ldr x8, [sp, #64]", "registers survive", SPOILS),
    "loses-the-flags": Defect(
        "entry.S",
        "    bl smc_handle\n",
        "    bl smc_handle\n    mrs x0, spsr_el3\n    and x0, x0, #0x0fffffff\n    msr spsr_el3, x0\n",
        "registers survive",
    ),
    "loses-v9": Defect(
        "entry.S",
        "    bl smc_handle\n",
        "    bl smc_handle\n    .arch_extension simd\n    movi v9.2d, #0\n",
        "registers survive",
    ),
    "forgets-the-second-redistributor": Defect(
        "gic.c", "core < A72_CORES", "core < 1", "private interrupts of the second are Linux's"
    ),
    "leaves-redistributors-asleep": Defect("gic.c", "waker & ~GICR_WAKER_SLEEP", "waker", "redistributor 1 is awake"),
    "is-another-chip": Defect("eemi.c", "0x14ca8093u", "0x14ca8094u", "chip: first word"),
    "has-another-api-version": Defect(
        "eemi.c",
        "case PM_GET_API_VERSION:\n        return report_version(VERSION_1_0",
        "case PM_GET_API_VERSION:\n        return report_version(VERSION_1_0 + 1",
        "api version: first word",
    ),
    "has-another-trustzone-version": Defect(
        "eemi.c",
        "case TF_A_GET_TRUSTZONE_VERSION:\n        return report_version(VERSION_1_0",
        "case TF_A_GET_TRUSTZONE_VERSION:\n        return report_version(VERSION_1_0 + 1",
        "trustzone version: first word",
    ),
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", DEFECTS)
def test_the_check_finds_a_defect(tmp_path: Path, name: str) -> None:
    defect = DEFECTS[name]
    sources = shutil.copytree(checkout_root() / "qemu", tmp_path / "qemu", ignore=shutil.ignore_patterns("build"))
    file = sources / "monitor" / defect.file
    text = file.read_text()
    assert text.count(defect.right) == 1, f"`{defect.right}` is not once in `{defect.file}`"
    file.write_text(text.replace(defect.right, defect.wrong))
    done = check(sources, tmp_path / "out", defect.monitor)
    assert done.returncode != 0
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED ")]
    assert any(defect.said in line for line in failed), done.stdout + done.stderr
