"""The sources that a wheel of the rig carries, unpacked into the cache when they are first needed."""

import hashlib
import tarfile
from pathlib import Path

from hybrid_hil.host.cache import Cache, Component
from hybrid_hil.terminal import QuietReporter, Step

ARCHIVE = Path(__file__).with_name("checkout.tar")
KIND = "checkout"


def packaged_checkout(archive: Path = ARCHIVE, cache: Cache | None = None) -> Path | None:
    """The folder with qemu/, runtime/ and buildroot/ of this wheel; None where there is no wheel."""
    if not archive.is_file():
        return None
    content = archive.read_bytes()

    def unpack(folder: Path, _step: Step) -> None:
        with tarfile.open(archive) as sources:
            # It is ours, and has links to what lies on boards. Pythons before 3.11.4 know no filters.
            sources.extraction_filter = lambda member, _path: member
            sources.extractall(folder)

    component = Component(KIND, hashlib.sha256(content).hexdigest()[:16])
    return (cache or Cache()).made(component, unpack, QuietReporter(), "unpack the sources")
