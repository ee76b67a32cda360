"""Tests with Buildroot's own sources: BUILDROOT names folders of them, separated by colons."""

import os
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import Image, ImageRequest, ensure_image
from hybrid_hil.image.buildroot.assembly import defconfigs
from hybrid_hil.image.buildroot.request import TREE_VARIABLE, paths, request_from_environment
from hybrid_hil.terminal import TerminalReporter
from tests.buildroot.loaded import Loaded, load

WITHOUT = f"{TREE_VARIABLE} is not set: give folders with Buildroot's sources, separated by colons"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--build", action="store_true", help="build the image from the first tree, and test it")


def trees() -> list[Path]:
    return list(paths(os.environ.get(TREE_VARIABLE, "")))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes `tree` runs on each; without any it is skipped, once."""
    if "tree" in metafunc.fixturenames:
        given = [pytest.param(tree, id=str(tree)) for tree in trees()]
        without = pytest.param(Path(), id="none", marks=pytest.mark.skip(reason=WITHOUT))
        metafunc.parametrize("tree", given or [without], scope="session")
    if "defconfig" in metafunc.fixturenames:
        metafunc.parametrize("defconfig", defconfigs(checkout_root()), scope="session")


@pytest.fixture(scope="session")
def loaded(tree: Path, defconfig: str, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """`defconfig`, loaded by `tree` as a user would."""
    return load(tree, defconfig, tmp_path_factory.mktemp("output"))


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> Image:
    """The plain image, built from the first tree or found in the cache."""
    if not request.config.getoption("--build"):
        pytest.skip("building takes long: ask for it with --build")
    if not trees():
        pytest.skip(WITHOUT)
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        return ensure_image(ImageRequest("buildroot", buildroot=request_from_environment()), TerminalReporter())
