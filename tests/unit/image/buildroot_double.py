"""A Buildroot that only prints: its configuration is what it was given, its packages do nothing, its images are empty.
It stands in for the order of things, and keeps stamps as Buildroot does: what has one is not done again. What it
builds proves nothing about Buildroot."""

import json
from collections.abc import Callable
from pathlib import Path

from hybrid_hil.host import buildroot_needs

TARGET = {"busybox": "1.37.0", "linux": "6.12.1", "hybrid-runtime": "0.2.0", "hybrid-board-firmware": "0.2.0"}
HOST = {"host-dtc": "1.7.2"}
PACKAGES = {
    name: {"type": kind, "version": version, "virtual": False, "stamp_dir": f"build/{name}-{version}"}
    for kind, versions in (("target", TARGET), ("host", HOST))
    for name, version in versions.items()
}
NAMES_ONLY = {
    "toolchain": {"type": "target", "version": "", "virtual": True, "stamp_dir": "build/toolchain"},
    "rootfs-ext2": {"type": "rootfs"},
}
MAKEFILE = """\
export BR2_VERSION := {version}
PACKAGES := {folders}
STAMPS := $(PACKAGES:%=$(O)/build/%/.stamp_installed)

all: $(STAMPS)
	@echo "all downloads=$(BR2_DL_DIR) keys=$(HYBRID_BOARD_KEYS)" >> $(O)/goals
	{failure}
	@mkdir -p $(O)/target $(O)/images/platform
	@for file in rootfs.ext4 kernel.config System.map host_key.pub login_key platform/monitor.elf; do \\
		touch $(O)/images/$$file; done
	@echo '{{"origin": "buildroot", "kernel_version": "6.12.1"}}' > $(O)/images/manifest.json

$(O)/build/%/.stamp_installed:
	@echo ">>> $* 1 Installing to target"
	@mkdir -p $(O)/build $(O)/images && mkdir $(@D) && case $* in linux-*) touch $(O)/images/Image;; esac
	@echo built-$* >> $(O)/goals
	@touch $@

defconfig:
	{drop} $(BR2_DEFCONFIG) > $(O)/.config
	@echo BR2_PER_PACKAGE_DIRECTORIES=y >> $(O)/.config
	@echo defconfig >> $(O)/goals

show-info:
	@cat {info}

source:
	@echo source >> $(O)/goals

%-dirclean:
	@echo $@ >> $(O)/goals
	@rm -r $(O)/build/$*-*

.DEFAULT_GOAL := all
"""

TreeMaker = Callable[..., Path]


def write_double(folder: Path, *, version: str = "2026.02.3", drop: str = "cat", failure: str = "@true") -> Path:
    """Writes its sources into `folder`: `drop` is the command that makes .config of the defconfig, `failure` a line
    in the middle of the build."""
    (folder / "package").mkdir(parents=True, exist_ok=True)
    (folder / "package/Makefile.in").touch()
    info = folder / "info.json"
    info.write_text(json.dumps({**PACKAGES, **NAMES_ONLY}) + "\n")
    folders = " ".join(f"{name}-{entry['version']}" for name, entry in PACKAGES.items())
    text = MAKEFILE.format(version=version, folders=folders, drop=drop, info=info, failure=failure)
    (folder / "Makefile").write_text(text)
    return folder


def write_tools(folder: Path) -> Path:
    """Makes `folder` with programs of the names that Buildroot is asked to find. The double runs none of them."""
    folder.mkdir()
    for need in buildroot_needs():
        (folder / need.thing).write_text("#!/bin/sh\nexit 127\n")
        (folder / need.thing).chmod(0o755)
    return folder
