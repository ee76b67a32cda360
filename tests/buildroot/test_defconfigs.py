"""Each configuration, loaded by each Buildroot at hand: nothing of it is dropped, nothing is said twice."""

import json
from pathlib import Path

from hybrid_hil.image.kconfig import lost_lines
from tests.buildroot.loaded import EXTERNAL, Loaded


def test_no_symbol_is_dropped(loaded: Loaded) -> None:
    assert lost_lines(loaded.wanted, loaded.configuration) == []


def test_it_is_what_savedefconfig_writes(loaded: Loaded) -> None:
    saved = loaded.output / "saved"
    loaded.make("savedefconfig", f"BR2_DEFCONFIG={saved}")
    assert saved.read_text() == loaded.wanted


def test_own_packages_come_from_the_checkout_and_have_a_license(loaded: Loaded) -> None:
    information = json.loads(loaded.make("show-info"))
    for name, sources in (("hybrid-runtime", "runtime"), ("hybrid-board-firmware", "qemu")):
        package = information[name]
        assert (package["licenses"], package["license_files"]) == ("Apache-2.0", ["LICENSE"])
        assert package["downloads"][0]["uris"][0] == f"local+{EXTERNAL}/../{sources}"


def test_somebody_vouches_for_the_kernel(loaded: Loaded) -> None:
    """BR2_DOWNLOAD_FORCE_CHECK_HASHES refuses a version without a hash, but only after it was downloaded."""
    values = loaded.make("printvars", "VARS=LINUX_SOURCE LINUX_HASH_FILES").splitlines()
    printed = dict(line.split("=", 1) for line in values)
    hashes = "".join(Path(file).read_text() for file in printed["LINUX_HASH_FILES"].split() if Path(file).is_file())
    assert f"  {printed['LINUX_SOURCE']}\n" in hashes
