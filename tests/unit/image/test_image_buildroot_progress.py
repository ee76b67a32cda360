"""Progress is told from what Buildroot prints, terminal codes and all."""

from pathlib import Path

from hybrid_hil.image.buildroot.progress import BuildProgress, packages_done


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
    progress = BuildProgress(recorder, 3, {"m4"})
    for line in (
        "\x1b[7m>>> busybox 1.37.0 Building\x1b[27m\n",
        "checking for x... \x1b[7m>>> host-skeleton  Installing to host directory\x1b[27m\n",
        "  CC      init/main.o\n",
        ">>> busybox 1.37.0 Installing to target\n",
    ):
        progress(line)
    assert recorder.details == [
        "busybox: building",
        "host-skeleton: installing to host directory",
        "busybox: installing to target",
    ]
    assert [done for done, _ in recorder.done] == [1, 2, 2, 3]


def test_earlier_builds_are_told_by_their_stamps(tmp_path: Path) -> None:
    for name, stamp in (("host-m4-1.4.21", ".stamp_installed"), ("busybox-1.37.0", ".stamp_built")):
        (tmp_path / "build" / name).mkdir(parents=True)
        (tmp_path / "build" / name / stamp).touch()
    assert packages_done(tmp_path) == {"host-m4"}
