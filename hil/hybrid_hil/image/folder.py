"""An image: one self-contained folder with everything a board needs to boot and to be logged into."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.failure import RigError

KERNEL = "Image"
DISK = "rootfs.ext4"
PLATFORM = "platform"
HOST_KEY = "host_key.pub"
LOGIN_KEY = "login_key"
MANIFEST = "manifest.json"
# What goes with the kernel, for who looks into it; no board needs them.
CONFIGURATION = "kernel.config"
SYMBOLS = "System.map"


@dataclass(frozen=True)
class Image:
    """A folder that `hil image build`, or a Buildroot build, has made; it is never written again."""

    folder: Path
    manifest: Mapping[str, object]

    @property
    def kernel(self) -> Path:
        """The arm64 boot image (Documentation/arch/arm64/booting.rst), uncompressed."""
        return self.folder / KERNEL

    @property
    def configuration(self) -> Path:
        """The kernel's .config. Images of other makers may lack it."""
        return self.folder / CONFIGURATION

    @property
    def disk(self) -> Path:
        """A raw ext4 file system labelled `rootfs`, without partition table; boards write to an overlay."""
        return self.folder / DISK

    @property
    def platform(self) -> Path:
        """The outputs of `make -C qemu`: monitor, devicetrees, trampoline, firmware of the R5 cores."""
        return self.folder / PLATFORM

    @property
    def host_key(self) -> Path:
        """The guest's public ed25519 host key, one OpenSSH line."""
        return self.folder / HOST_KEY

    @property
    def login_key(self) -> Path:
        """root's private key in OpenSSH's format, mode 0600."""
        return self.folder / LOGIN_KEY


def open_image(folder: Path) -> Image:
    """The image in `folder`.

    Raises:
        RigError: a part is missing, or the manifest cannot be read.
    """
    parts = (KERNEL, DISK, PLATFORM, HOST_KEY, LOGIN_KEY, MANIFEST)
    missing = [part for part in parts if not (folder / part).exists()]
    if missing:
        raise RigError(
            f"`{folder}` is not an image: it lacks {', '.join(missing)}",
            "give the folder of an image (`hil image list` shows them), or build one: `hil image build`",
            exit_code=2,
        )
    return Image(folder.resolve(), read_manifest(folder))


def read_manifest(folder: Path) -> Mapping[str, object]:
    """What the makers of `folder` wrote down about it."""
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RigError(f"cannot read `{path}`: {error}", "remove its folder and build it again") from error
    if not isinstance(manifest, dict):
        raise RigError(f"`{path}` is not a JSON object", "remove its folder and build it again")
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, object]) -> None:
    text = json.dumps(manifest, indent=2, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
