"""Bundles as engines write them."""

import json
from pathlib import Path


def write_bundle(folder: Path, firmware: Path, **changes: object) -> Path:
    """A bundle as engines write it; a field changed to None is left out."""
    rootfs = folder / "rootfs"
    rootfs.mkdir(parents=True)
    (rootfs / "fw.elf").write_bytes(firmware.read_bytes())
    config: dict[str, object] = {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs"},
        "process": {"cwd": "/", "args": ["/fw.elf"], "env": ["PATH=/bin"]},
        "annotations": {"vendor.note": "kept"},
    }
    config.update(changes)
    config = {key: value for key, value in config.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(config))
    return folder
