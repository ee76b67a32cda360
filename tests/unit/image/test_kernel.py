"""Every line of the kernel's fragment survives, or the build says which did not."""

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian.kernel import FRAGMENTS, CompileProgress, check_configuration
from hybrid_hil.image.kconfig import lost_lines, settings

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
