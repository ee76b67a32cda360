"""The runtime on a board: brought as one stream, checked, compiled by the board's own interpreter."""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.host.revision import revision
from hybrid_hil.shell import Shell

FOLDER = "/usr/lib/hybrid-runtime"
# Where a runtime goes that the rig did not bring: a package's, on a board of its owner's.
KEPT = f"{FOLDER}.own"
KEPT_NOTE = f"the board's own runtime is now in {KEPT}"
COMMAND = "/usr/bin/hybrid-runtime"
LAUNCHER = "bin/hybrid-runtime"
SHIM = "bin/containerd-shim-remoteproc-v1"
PROGRAMS = (LAUNCHER, SHIM)
# Where the shim finds what containerd calls runc.
LINK = "shim/runc"
SETTINGS = "engines"
PACKAGE = "hybrid_runtime"
DIGESTS = "SHA256SUMS"
COMMIT = "COMMIT"
# Of every file, in seconds since the epoch: equal sources give equal bytes.
FILE_TIME = 0

# Renamed over the old one only when every digest is right; compiled in place: byte code names its source, and its time.
_SCRIPT = f"""
set -e
rm -rf {FOLDER}.new
mkdir -p {FOLDER}.new
tar -xf - -C {FOLDER}.new
cd {FOLDER}.new
sha256sum -c {DIGESTS} >/dev/null
cd /
if [ -d {FOLDER} ] && [ ! -e {FOLDER}/{DIGESTS} ] && [ ! -e {KEPT} ]; then mv {FOLDER} {KEPT}; echo {KEPT}; fi
rm -rf {FOLDER}.old
if [ -e {FOLDER} ]; then mv {FOLDER} {FOLDER}.old; fi
mv {FOLDER}.new {FOLDER}
rm -rf {FOLDER}.old
python3 -IS -m compileall -q --invalidation-mode timestamp {FOLDER}/{PACKAGE}
ln -sfn {FOLDER}/{LAUNCHER} {COMMAND}
ln -sfn {FOLDER}/{SHIM} /usr/bin/
"""


@dataclass(frozen=True)
class RuntimePayload:
    """A tar stream, the sha256 in hex of each file in it by its name there, and what the modules among them hold."""

    tar: bytes
    digests: dict[str, str]
    modules: dict[str, bytes]

    @property
    def listing(self) -> bytes:
        """The file DIGESTS in it, by which a board checks what has arrived."""
        return "".join(f"{digest}  {name}\n" for name, digest in self.digests.items()).encode()

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.tar).hexdigest()


def runtime_payload(runtime: Path) -> RuntimePayload:
    """Packs the runtime's folder of a checkout; equal sources of one commit give equal bytes.

    Raises:
        RigError: it has no launcher or no package.
    """
    files = sorted(_files(runtime))
    if LAUNCHER not in dict(files) or f"{PACKAGE}/__init__.py" not in dict(files):
        raise RigError(f"`{runtime}` holds no runtime", f"it needs {LAUNCHER} and {PACKAGE}/__init__.py")
    contents = {name: path.read_bytes() for name, path in files}
    contents[COMMIT] = f"{revision(runtime)}\n".encode()
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    modules = {name: content for name, content in contents.items() if name.startswith(f"{PACKAGE}/")}
    packed = RuntimePayload(b"", digests, modules)
    return replace(packed, tar=_archive(contents | {DIGESTS: packed.listing}))


def _archive(contents: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in contents.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), FILE_TIME
            member.mode = 0o755 if name in PROGRAMS else 0o644
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo(LINK)
        link.type, link.linkname = tarfile.SYMTYPE, f"../{LAUNCHER}"
        archive.addfile(link)
    return stream.getvalue()


def checkout_payload() -> RuntimePayload:
    """The runtime of the checkout the rig itself comes from. Raises RigError as `runtime_payload` does."""
    return runtime_payload(checkout_root() / "runtime")


def deploy(shell: Shell, packed: RuntimePayload, deadline: Deadline) -> bool:
    """Puts the runtime on a board. Returns whether the board had one of its own, which is now in KEPT.

    Raises:
        CommandError: a digest is wrong, there is no room, or the sources do not compile there.
    """
    return shell.run(_SCRIPT, stdin=packed.tar, deadline=deadline).stdout.strip() == KEPT


def _files(runtime: Path) -> Iterator[tuple[str, Path]]:
    programs = (runtime / program for program in PROGRAMS)
    for path in (*programs, *(runtime / SETTINGS).rglob("*"), *(runtime / PACKAGE).rglob("*.py")):
        if path.is_file():
            yield str(path.relative_to(runtime)), path
