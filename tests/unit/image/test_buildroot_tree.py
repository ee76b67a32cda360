"""What is given as Buildroot's sources is looked at before anything is built from it."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.buildroot.request import BuildrootRequest, request_from_environment
from hybrid_hil.image.buildroot.tree import open_tree
from tests.unit.image.buildroot_double import TreeMaker


def test_version_comes_from_the_makefile(make_tree: TreeMaker) -> None:
    assert open_tree(make_tree(version="2026.05.1")).version == "2026.05.1"


def test_any_file_makes_another_tree(make_tree: TreeMaker) -> None:
    folder = make_tree()
    before = open_tree(folder)
    (folder / "package/new.mk").touch()
    assert open_tree(folder).identity != before.identity
    assert open_tree(folder, "known").identity == "known"


@pytest.mark.parametrize("leftover", ["output/build/x", "dl/x.tar", ".git/index"])
def test_what_builds_leave_in_a_tree_is_no_part_of_it(make_tree: TreeMaker, leftover: str) -> None:
    folder = make_tree()
    before = open_tree(folder)
    (folder / leftover).parent.mkdir(parents=True)
    (folder / leftover).touch()
    assert open_tree(folder) == before


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="does not hold Buildroot's sources"):
        open_tree(tmp_path)
    with pytest.raises(RigError, match="does not hold Buildroot's sources"):
        open_tree(tmp_path / "nowhere")


def test_old_releases_are_refused(make_tree: TreeMaker) -> None:
    with pytest.raises(RigError, match=r"is Buildroot `2024.02.1`") as raised:
        open_tree(make_tree(version="2024.02.1"))
    assert "2025.05" in raised.value.remedy


def test_environment_names_trees_and_settings() -> None:
    assert request_from_environment({}) == BuildrootRequest()
    request = request_from_environment({"BUILDROOT": "/a:/b", "BUILDROOT_SETTINGS": "/x:/y"})
    assert request == BuildrootRequest(tree=Path("/a"), settings=(Path("/x"), Path("/y")))
