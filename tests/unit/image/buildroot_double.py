"""A Buildroot that only prints: its configuration is what it was given, its packages are two, its images are empty.
It stands in for the order of things; what it builds proves nothing about Buildroot."""

import json
from collections.abc import Callable
from pathlib import Path

PACKAGES = {
    "busybox": {"type": "target", "version": "1.37.0", "virtual": False},
    "host-dtc": {"type": "host", "version": "1.7.2", "virtual": False},
    "toolchain": {"type": "target", "version": "", "virtual": True},
    "rootfs-ext2": {"type": "rootfs"},
}
MAKEFILE = """\
export BR2_VERSION := {version}

defconfig:
	{drop} $(BR2_DEFCONFIG) > $(O)/.config
	@echo defconfig >> $(O)/goals

show-info:
	@cat {info}

source:
	@echo source >> $(O)/goals

all:
	@echo ">>> busybox 1.37.0 Installing to target"
	@echo "all downloads=$(BR2_DL_DIR) keys=$(HYBRID_BOARD_KEYS)" >> $(O)/goals
	{failure}
	@mkdir -p $(O)/images/platform/firmware $(O)/build/busybox-1.37.0 $(O)/build/hybrid-runtime-0.1.0
	@touch $(O)/build/busybox-1.37.0/.stamp_installed
	@for file in Image rootfs.ext4 kernel.config System.map host_key.pub login_key platform/monitor.elf; do \\
		touch $(O)/images/$$file; done
	@echo '{{"origin": "buildroot", "kernel_version": "6.12.1"}}' > $(O)/images/manifest.json

%-dirclean:
	@echo $@ >> $(O)/goals

.DEFAULT_GOAL := all
"""

TreeMaker = Callable[..., Path]


def write_double(folder: Path, *, version: str = "2026.02.3", drop: str = "cat", failure: str = "@true") -> Path:
    """Writes its sources into `folder`: `drop` is the command that makes .config of the defconfig, `failure` a line
    in the middle of the build."""
    (folder / "package").mkdir(parents=True, exist_ok=True)
    (folder / "package/Makefile.in").touch()
    info = folder / "info.json"
    info.write_text(json.dumps(PACKAGES) + "\n")
    (folder / "Makefile").write_text(MAKEFILE.format(version=version, drop=drop, info=info, failure=failure))
    return folder
