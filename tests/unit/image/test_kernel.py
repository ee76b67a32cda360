"""Every line of the kernel's fragment survives, or the build says which did not."""

from pathlib import Path

import pytest

from hybrid_hil.board.layout import LAYOUTS
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian.engines import FRAGMENT as OF_ENGINES
from hybrid_hil.image.debian.kernel import FRAGMENTS, CompileProgress, check_configuration, fragments_for
from hybrid_hil.image.debian.kernel_release import DEFAULT, RELEASES, KernelRelease, release_named
from hybrid_hil.image.debian.source import tarball_in
from hybrid_hil.image.kconfig import lost_lines, merged, settings

CONFIGURATION = """\
CONFIG_64BIT=y
CONFIG_HZ=100
CONFIG_DEFAULT_HOSTNAME="(none)"
# CONFIG_MODULES is not set
"""


@pytest.mark.parametrize(
    "fragment",
    [
        "CONFIG_64BIT=y\n",
        'CONFIG_HZ=100\nCONFIG_DEFAULT_HOSTNAME="(none)"\n',
        "# CONFIG_MODULES is not set\n",
        "# CONFIG_KNOWN_NOWHERE is not set\n",
        "# a comment that mentions CONFIG_LOST\n\nCONFIG_64BIT=y\n",
    ],
)
def test_survivors(fragment: str) -> None:
    assert lost_lines(fragment, CONFIGURATION) == []


@pytest.mark.parametrize(
    "line",
    ["CONFIG_XLNX_R5_REMOTEPROC=y", "CONFIG_MODULES=y", "CONFIG_HZ=250", "# CONFIG_64BIT is not set"],
)
def test_lost(line: str) -> None:
    assert lost_lines(f"CONFIG_HZ=100\n{line}\n", CONFIGURATION) == [line]


def test_lost_lines_are_told_with_a_remedy() -> None:
    with pytest.raises(RigError, match="CONFIG_HZ=250") as raised:
        check_configuration("CONFIG_HZ=250\n", CONFIGURATION)
    assert "linux.fragment" in raised.value.remedy


def test_fragments_set_each_symbol_once() -> None:
    lines = [line for fragment in FRAGMENTS for line in settings((checkout_root() / fragment).read_text())]
    symbols = [line.removeprefix("# ").split("=")[0].split()[0] for line in lines]
    assert len(symbols) > 100
    assert sorted(set(symbols)) == sorted(symbols)


def test_a_release_has_the_last_word() -> None:
    assert fragments_for([], release_named(None)) == FRAGMENTS
    assert fragments_for(["podman"], RELEASES["6.1"]) == (*FRAGMENTS, OF_ENGINES, RELEASES["6.1"].fragment)


@pytest.mark.parametrize("release", [one for one in RELEASES.values() if one != DEFAULT], ids=lambda one: one.name)
def test_what_a_release_lacks_is_not_asked_of_it(release: KernelRelease) -> None:
    texts = [(checkout_root() / fragment).read_text() for fragment in fragments_for([], release)]
    lines = settings(merged(texts))
    assert {f"# CONFIG_{symbol} is not set" for symbol in release.lacks} <= set(lines)
    drivers = {layout.driver for layout in LAYOUTS.values()} - release.lacks
    assert {f"CONFIG_{driver}=y" for driver in drivers} <= set(lines)


def test_unknown_releases() -> None:
    with pytest.raises(RigError, match=r"no kernel `5\.10`") as raised:
        release_named("5.10")
    assert (raised.value.remedy, raised.value.exit_code) == ("there are 6.1, 6.12, newest", 2)


def test_the_source_is_one_tarball(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="0 tarballs of Linux"):
        tarball_in(tmp_path)
    tarball = tmp_path / "linux-source-7.2.tar.xz"
    tarball.touch()
    (tmp_path / "linux-config-7.2").mkdir()
    assert tarball_in(tmp_path) == tarball


def test_progress_counts_what_make_prints() -> None:
    seen: list[tuple[float, float]] = []

    class Counting:
        failed = False

        def advance(self, done: float, total: float) -> None:
            seen.append((done, total))

        def detail(self, text: str) -> None:
            """Not looked at."""

    progress = CompileProgress(Counting())
    for line in ("  CC      init/main.o\n", "make[1]: Entering directory\n", "  LD      vmlinux\n"):
        progress(line)
    assert [done for done, _ in seen] == [1, 2]
    assert all(done <= total for done, total in seen)
