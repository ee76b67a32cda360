"""Tests see the tools of declared packages, and no other."""

import os
import shutil
from pathlib import Path

import pytest

from hybrid_hil.host import needs, needs_of_tests
from tests import declared_tools
from tests.declared_tools import (
    Alternative,
    NoDatabaseError,
    Package,
    closure,
    declared,
    link_tools,
    parse_alternatives,
    parse_packages,
    tools,
)

STATUS = (
    "installed\tdash\tyes\trequired\t\tdebianutils (>= 5), libc6 (>= 2.34)\t\n"
    "installed\tgit\tno\toptional\tgit-completion (= 1), git-core\t\tlibc6 (>= 2), perl, less | pager:any\n"
    "config-files\trsync\tno\toptional\t\t\tlibc6\n"
)
AWK = """auto
/usr/bin/awk
nawk
/usr/bin/nawk

/usr/bin/gawk
10
/usr/bin/gawk
/usr/bin/mawk
5
/usr/bin/mawk

"""


def test_lists_of_packages(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("# comment\n\ndtc device-tree-compiler\nbrowser chromium debian\n")
    assert declared([tmp_path / "one"]) == {"git", "python3", "device-tree-compiler", "chromium"}


def test_dpkg_s_lines() -> None:
    assert parse_packages(STATUS) == {
        "dash": Package("dash", always=True, depends=(("debianutils",), ("libc6",))),
        "git": Package(
            "git",
            provides=("git-completion", "git-core"),
            depends=(("libc6",), ("perl",), ("less", "pager")),
        ),
    }


@pytest.mark.parametrize(
    ("packages", "wanted", "found"),
    [
        ([Package("sh", always=True), Package("rsync")], [], {"sh"}),
        ([Package("a", depends=(("b",),)), Package("b", depends=(("c",),)), Package("c")], ["a"], {"a", "b", "c"}),
        ([Package("a", depends=(("b",),)), Package("b", depends=(("a",),))], ["a"], {"a", "b"}),
        # the first that is installed, where apt would have chosen it
        ([Package("a", depends=(("gone", "b", "c"),)), Package("b"), Package("c")], ["a"], {"a", "b"}),
        # none but the one that is needed anyway
        ([Package("a", depends=(("b", "c"),)), Package("b"), Package("c", always=True)], ["a"], {"a", "c"}),
        ([Package("a", depends=(("awk",),)), Package("mawk", provides=("awk",))], ["a"], {"a", "mawk"}),
        ([Package("a")], ["not-installed"], set()),
    ],
)
def test_what_comes_with_the_declared(packages: list[Package], wanted: list[str], found: set[str]) -> None:
    assert closure({package.name: package for package in packages}, wanted) == found


def test_alternatives_of_update_alternatives() -> None:
    assert list(parse_alternatives(AWK)) == [
        Alternative("/usr/bin/awk", "/usr/bin/gawk", 10),
        Alternative("/usr/bin/nawk", "/usr/bin/gawk", 10),
        Alternative("/usr/bin/awk", "/usr/bin/mawk", 5),
        Alternative("/usr/bin/nawk", "/usr/bin/mawk", 5),
    ]
    assert list(parse_alternatives("auto\n/usr/bin/none\n\n\n")) == []


def test_an_alternative_is_that_of_a_declared_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared_tools, "FOLDERS", (tmp_path,))
    mawk, gawk, folder = (str(tmp_path / name) for name in ("mawk", "gawk", "doc"))
    (tmp_path / "mawk").touch()
    (tmp_path / "doc").mkdir()
    offered = [Alternative(f"{tmp_path}/awk", gawk, 10), Alternative(f"{tmp_path}/awk", mawk, 5)]
    assert tools({mawk, folder, f"{tmp_path}/removed"}, offered) == {"mawk": Path(mawk), "awk": Path(mawk)}
    assert tools({mawk, gawk}, offered)["awk"] == Path(gawk)


def test_a_machine_without_dpkg_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoDatabaseError):
        link_tools(tmp_path, ["git"])


@pytest.fixture
def folder() -> Path:
    """What this run has as PATH."""
    named = os.environ.get("HYBRID_HIL_TOOLS")
    if not named:
        why = "--host-path or --board" if named is None else "no dpkg here"
        pytest.skip(f"{why}: PATH has whatever this machine has, and a tool that no list declares is NOT missed")
    return Path(named)


def test_this_run_has_no_other_tools(folder: Path) -> None:
    *before, last = os.environ["PATH"].split(os.pathsep)
    assert Path(last) == folder
    assert all((Path(one).parent / "pyvenv.cfg").is_file() for one in before)
    for name in ("sh", "git", "python3", "awk", "make"):
        assert shutil.which(name, path=last) == str(folder / name)


def test_what_a_list_declares_is_there(folder: Path) -> None:
    """Of the packages that are installed: a machine may lack one of them until `rig` is run."""
    there = parse_packages(declared_tools.query("-W", "-f", declared_tools.FORMAT))
    commands = [need for need in (*needs(), *needs_of_tests()) if need.thing[0] != "/" and ":" not in need.thing]
    assert commands
    assert [need for need in commands if need.package in there and not (folder / need.thing).exists()] == []


def test_a_package_that_no_list_names_is_not_there(tmp_path: Path) -> None:
    """Nothing but the essential without its name on a list."""
    bare, whole = tmp_path / "bare", tmp_path / "whole"
    for place, packages in ((bare, set()), (whole, declared([declared_tools.HOST_LIST]))):
        place.mkdir()
        try:
            link_tools(place, packages)
        except NoDatabaseError:
            pytest.skip("no dpkg here: which package a tool is of is not known")
    assert (bare / "sh").exists()
    assert not (bare / "make").exists()
    assert (whole / "make").exists()
