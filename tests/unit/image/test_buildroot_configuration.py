"""Of several defconfigs one is made, and Buildroot's answer is held to every line of it."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot.configuration import check_configuration, files_named_in, read_settings
from hybrid_hil.image.kconfig import lost_lines, merged

CONFIGURATION = """\
BR2_aarch64=y
# BR2_CCACHE is not set
BR2_TARGET_GENERIC_HOSTNAME="hybrid-board"
"""


def test_last_line_of_a_symbol_counts() -> None:
    texts = ["BR2_A=y\nBR2_B=y\n", "# why\n\n# BR2_A is not set\nBR2_C=1\n"]
    assert merged(texts) == "BR2_B=y\n# BR2_A is not set\nBR2_C=1\n"


@pytest.mark.parametrize(
    "wanted",
    [
        "BR2_aarch64=y",
        "# BR2_CCACHE is not set",
        "# BR2_UNKNOWN is not set",
        "BR2_CCACHE=n",
        'BR2_TARGET_GENERIC_HOSTNAME="hybrid-board"',
    ],
)
def test_survivors(wanted: str) -> None:
    assert lost_lines(f"{wanted}\n", CONFIGURATION) == []


@pytest.mark.parametrize(
    "wanted", ["BR2_UNKNOWN=y", "BR2_CCACHE=y", "# BR2_aarch64 is not set", 'BR2_TARGET_GENERIC_HOSTNAME="other"']
)
def test_lost(wanted: str) -> None:
    assert lost_lines(f"BR2_aarch64=y\n{wanted}\n", CONFIGURATION)[-1:] == [wanted]


def test_lost_symbols_are_told_with_the_version() -> None:
    with pytest.raises(RigError, match=r"Buildroot `2025.05` dropped `BR2_PACKAGE_X0=y`, .* and 3 more"):
        check_configuration("".join(f"BR2_PACKAGE_X{n}=y\n" for n in range(15)), CONFIGURATION, "2025.05")


def test_settings_that_set_nothing_are_told_by_line(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("# a comment\n\nBR2_CCACHE=y\nBR2_CCACHE y\n")
    with pytest.raises(RigError, match="line 4: `BR2_CCACHE y` sets nothing"):
        read_settings([file])


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_unreadable_settings_are_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "settings"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(RigError, match="cannot be read"):
        read_settings([file])


def test_files_that_settings_name_are_found(tmp_path: Path) -> None:
    file = tmp_path / "fragment"
    file.touch()
    texts = [f'BR2_A="{file} {tmp_path} /nowhere relative"\nBR2_B=y\n', f'BR2_C="file://{file}"\n']
    assert files_named_in(texts) == [file]
