"""Kubernetes' own programs, which the caller gives: `--binaries DIR` with DIR/arm64 for boards, DIR/amd64 for here."""

import platform
import shutil
from pathlib import Path

import pytest

CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl")
# As Go calls them, by what uname(1) says.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NOT_GIVEN = "Kubernetes' programs are not given (tox -e kubernetes -- --binaries DIR, or --download-binaries)"


class Binaries:
    """In `folder`, and `why_not` is why there is none. What is missing skips the test, and the reason says what to
    do."""

    def __init__(self, folder: Path | None, why_not: str = NOT_GIVEN) -> None:
        self._folder = folder
        self._why_not = why_not

    def here(self, name: str) -> Path:
        """A program of the control plane for this machine."""
        return self._of(ARCHITECTURES.get(platform.machine(), platform.machine()), name)

    def etcd(self) -> Path:
        """Of the same folder, or of Debian's etcd-server."""
        if self._folder is not None and (path := self._folder / ARCHITECTURES[platform.machine()] / "etcd").exists():
            return path
        found = shutil.which("etcd")
        if found is None:
            pytest.skip("there is no etcd (apt-get install etcd-server, or put it beside kube-apiserver)")
        return Path(found)

    def _of(self, architecture: str, name: str) -> Path:
        if self._folder is None:
            pytest.skip(self._why_not)
        path = self._folder / architecture / name
        if not path.exists():
            pytest.skip(f"there is no `{path}` (unpack a Kubernetes release there)")
        return path
