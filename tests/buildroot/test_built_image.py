"""The image that Buildroot makes, with --build: what is in it, whose licenses it carries, and that it makes the whole
suite pass."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND, FOLDER, PACKAGE, checkout_payload
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import Image
from hybrid_hil.image.buildroot.assembly import places
from hybrid_hil.image.buildroot.request import request_from_environment
from hybrid_hil.image.retention import parts_of
from hybrid_hil.image.store import Component, Store
from hybrid_hil.shell import Shell
from hybrid_hil.terminal import QuietReporter
from tests.buildroot.loaded import make

BOOT_S = 120.0
GENERATED = {"COMMIT"}


@pytest.fixture(scope="module")
def bare(built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """On a board that nothing was deployed to."""
    with QemuBoard(built, owner="test_built_image", logs=tmp_path_factory.mktemp("logs")) as board:
        board.power_on(Deadline(BOOT_S))
        yield board.shell


def test_runtime_is_there_without_being_deployed(bare: Shell) -> None:
    assert bare.run([COMMAND, "--version"]).stdout.startswith("hybrid-runtime version ")
    for name, digest in checkout_payload().digests.items():
        if name not in GENERATED:
            assert bare.run(["sha256sum", f"{FOLDER}/{name}"]).stdout.split()[0] == digest


def test_byte_code_is_the_boards_own_and_not_checked_again(bare: Shell) -> None:
    """Of another interpreter or another kind the runtime would pass it over, and start in twice the time."""
    script = (
        "import importlib.util, pathlib, sys\n"
        f"for source in pathlib.Path('{FOLDER}/{PACKAGE}').rglob('*.py'):\n"
        "    code = pathlib.Path(importlib.util.cache_from_source(str(source))).read_bytes()\n"
        "    assert code[:4] == importlib.util.MAGIC_NUMBER, source\n"
        "    assert code[4:8] == bytes([1, 0, 0, 0]), source\n"
        "print('all of them')\n"
    )
    assert bare.run(["python3", "-c", script]).stdout == "all of them\n"


def test_doctor_has_nothing_to_say(bare: Shell) -> None:
    assert bare.run([COMMAND, "doctor"]).exit_status == 0


def test_licenses_are_complete(built: Image) -> None:
    """Asked of the place the image was built in, with its downloads."""
    store = Store()
    output = next(part for part in parts_of(store, Component("image", built.folder.name)) if part.kind == "output")
    tree = request_from_environment().tree
    assert tree is not None
    with store.occupied(), store.workplace(output, QuietReporter(), "collecting licenses") as place:
        make(tree, place, "legal-info", **places(store, place).environment())
        with (place / "legal-info/manifest.csv").open() as file:
            licenses = {row["PACKAGE"]: row["LICENSE"] for row in csv.DictReader(file)}
        assert (place / "legal-info/licenses/hybrid-runtime-0.2.0/LICENSE").is_file()
    assert {licenses[name] for name in ("hybrid-runtime", "hybrid-board-firmware")} == {"Apache-2.0"}
    # Buildroot names no license for prebuilt toolchains.
    unknown = {name for name, text in licenses.items() if text in ("unknown", "")}
    assert {name for name in unknown if not name.startswith("toolchain-external")} == set()


def test_whole_suite_passes_on_it(built: Image) -> None:
    command = [sys.executable, "-m", "pytest", "tests/board", "tests/rig", "--image", str(built.folder)]
    assert subprocess.run(command, check=False, cwd=checkout_root(), stdin=subprocess.DEVNULL).returncode == 0


def test_manifest_lists_what_is_in_it(built: Image) -> None:
    packages = built.manifest["packages"]
    assert isinstance(packages, dict)
    assert {"busybox", "dropbear", "hybrid-runtime", "python3", "strace"} <= packages.keys()
    assert Path(built.folder / "kernel.config").is_file()
