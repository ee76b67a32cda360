"""The agent's image for boards, of the same parts as its Containerfile makes it of: a Python, the wheels of its
libraries, and the agent. Nothing of it is run to make it."""

import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian.host_program import HostProgram
from hybrid_hil.image.debian.packages import extract_packages, merge_usr
from hybrid_hil.image.debian.release import RELEASES, DebianRelease
from tests.image_builder import member, tar

SOURCE = checkout_root() / "runtime/kubernetes-agent"
# As runtime/kubernetes-agent/deploy names it.
TAG = "registry.example/hybrid-kubernetes-agent:0.2.0"
ARCHITECTURE = "arm64"
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64", "any")
ENTRY = ["python3", "-m", "hybrid_kubernetes_agent", "--runtime", "chroot /host hybrid-runtime"]
LIBRARIES = "usr/lib/python3/dist-packages"
UNUSED = ("usr/share", "usr/lib/aarch64-linux-gnu/gconv", "var/cache", "var/lib", "etc/apt")


def build(folder: Path, release: DebianRelease = RELEASES["testing"]) -> Path:
    """The archive, as `docker save` writes it. Raises RigError and CalledProcessError."""
    root = folder / "root"
    extract_packages(
        BuildRunner(folder / "log"), ("python3", "coreutils", "libstdc++6"), ARCHITECTURE, root, release.suite
    )
    merge_usr(root)
    for name in UNUSED:
        shutil.rmtree(root / name, ignore_errors=True)
    libraries = root / LIBRARIES
    _install_wheels(libraries, release)
    shutil.copytree(SOURCE / "hybrid_kubernetes_agent", libraries / "hybrid_kubernetes_agent", dirs_exist_ok=True)
    for cache in libraries.rglob("__pycache__"):
        shutil.rmtree(cache)
    _compile(root, folder, release)
    (root / "host").mkdir()
    return _archive(root, folder)


def _install_wheels(target: Path, release: DebianRelease) -> None:
    project = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    platforms = [word for name in PLATFORMS for word in ("--platform", name)]
    version = release.python.removeprefix("python")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile", "--target", str(target)]
    options = ["--only-binary", ":all:", "--python-version", version, "--implementation", "cp"]
    subprocess.run([*pip, *platforms, *options, *project["dependencies"]], check=True)


def _compile(root: Path, folder: Path, release: DebianRelease) -> None:
    """Byte code, as pip makes it where the Containerfile is built: the agent's root file system is read-only."""
    python = folder / "python"
    python.mkdir()
    HostProgram(release.suite, release.python, release.python).fetch(python, BuildRunner(folder / "python.log"))
    flags = ["-q", "--invalidation-mode=unchecked-hash", "-s", str(root), "-p", "/"]
    command = [str(python / release.python), "-I", "-m", "compileall", *flags, str(root / "usr/lib")]
    # Some of the library's tests are no Python of this version.
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
    shutil.rmtree(python)


def _archive(root: Path, folder: Path) -> Path:
    layer = folder / "layer.tar"
    with tarfile.open(layer, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(root, ".", filter=_of_root)
    shutil.rmtree(root)
    with layer.open("rb") as source:
        digest = hashlib.file_digest(source, "sha256").hexdigest()
    configuration = {
        "architecture": ARCHITECTURE,
        "os": "linux",
        "config": {"Entrypoint": ENTRY, "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
    }
    document = json.dumps(configuration).encode()
    name = f"{hashlib.sha256(document).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [TAG], "Layers": ["layer.tar"]}]
    small = tar(member(name, document), member("manifest.json", json.dumps(manifest).encode()))
    path = folder / "agent.tar"
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        archive.add(layer, "layer.tar")
        with tarfile.open(fileobj=io.BytesIO(small)) as others:
            for info in others:
                archive.addfile(info, others.extractfile(info))
    layer.unlink()
    return path


def _of_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info
