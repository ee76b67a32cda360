"""Progress is told from what Buildroot prints, terminal codes and all."""

import json
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot.packages import packages_in
from hybrid_hil.image.buildroot.progress import BuildProgress
from tests.unit.image.buildroot_double import PACKAGES


class Recorder:
    failed = False

    def __init__(self) -> None:
        self.details: list[str] = []
        self.done: list[tuple[float, float]] = []

    def advance(self, done: float, total: float) -> None:
        self.done.append((done, total))

    def detail(self, text: str) -> None:
        self.details.append(text)


def test_packages_are_counted_when_they_are_installed() -> None:
    recorder = Recorder()
    progress = BuildProgress(recorder, {"m4", "busybox", "host-skeleton"}, {"m4", "another"})
    for line in (
        "\x1b[7m>>> busybox 1.37.0 Building\x1b[27m\n",
        "checking for x... \x1b[7m>>> host-skeleton  Installing to host directory\x1b[27m\n",
        "\x1b[7m>>> toolchain  Installing to target\x1b[27m\n",
        "  CC      init/main.o\n",
        ">>> busybox 1.37.0 Installing to target\n",
    ):
        progress(line)
    assert recorder.details == [
        "busybox: building",
        "host-skeleton: installing to host directory",
        "toolchain: installing to target",
        "busybox: installing to target",
    ]
    assert recorder.done == [(1, 3), (2, 3), (2, 3), (2, 3), (3, 3)]


def test_packages_of_earlier_builds_are_told_by_their_stamps(tmp_path: Path) -> None:
    packages = packages_in(["make: noise", json.dumps(PACKAGES)])
    stamp = tmp_path / "build/host-dtc-1.7.2/.stamp_installed"
    stamp.parent.mkdir(parents=True)
    stamp.touch()
    (tmp_path / "build/busybox-1.37.0").mkdir()
    assert [package.name for package in packages if package.is_built(tmp_path)] == ["host-dtc"]


def test_a_buildroot_without_a_list_is_told() -> None:
    with pytest.raises(RigError, match="lists no packages"):
        packages_in(["make: *** No rule to make target 'show-info'"])
