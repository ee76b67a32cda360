"""What a person means by --image."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image import ImageRequest, choice
from hybrid_hil.image.buildroot.request import BuildrootRequest
from hybrid_hil.image.choice import chosen_image
from hybrid_hil.image.debian.request import debian_request
from hybrid_hil.terminal import QuietReporter


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[ImageRequest]:
    """The requests that would be built, asked for in a folder that has one called `buildroot`, as a checkout has."""
    requests: list[ImageRequest] = []
    monkeypatch.setattr(choice, "ensure_image", lambda request, _: requests.append(request))
    (tmp_path / "buildroot").mkdir()
    monkeypatch.chdir(tmp_path)
    for variable in ("BUILDROOT", "BUILDROOT_SETTINGS"):
        monkeypatch.delenv(variable, raising=False)
    return requests


@pytest.mark.parametrize(("word", "origin"), [(None, "debian"), ("debian", "debian"), ("buildroot", "buildroot")])
def test_names_of_origins_are_built(asked: list[ImageRequest], word: str | None, origin: str) -> None:
    chosen_image(word, QuietReporter())
    assert [request.origin for request in asked] == [origin]


def test_engines_follow_the_origin(asked: list[ImageRequest]) -> None:
    chosen_image("debian+podman+docker", QuietReporter())
    assert (asked[0].origin, asked[0].debian.engines) == ("debian", ("docker", "podman"))


def test_a_kernel_follows_the_origin(asked: list[ImageRequest]) -> None:
    chosen_image("debian:6.1+podman", QuietReporter())
    assert (asked[0].origin, asked[0].debian) == ("debian", debian_request(None, "6.1", ["podman"]))


def test_a_release_follows_the_origin(asked: list[ImageRequest]) -> None:
    chosen_image("debian-13:6.1+podman", QuietReporter())
    assert (asked[0].origin, asked[0].debian) == ("debian", debian_request("13", "6.1", ["podman"]))


@pytest.mark.parametrize("word", ["debian-", "debian-14", "debian:5.10", "debian+lxc"])
def test_what_cannot_be_inside_is_refused(word: str) -> None:
    with pytest.raises(RigError):
        chosen_image(word, QuietReporter())


def test_environment_says_what_buildroots_is_made_from(
    asked: list[ImageRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUILDROOT", "/src/buildroot")
    chosen_image("buildroot", QuietReporter())
    assert asked[0].buildroot == BuildrootRequest(tree=Path("/src/buildroot"))


@pytest.mark.parametrize("word", ["./buildroot", "nowhere", "nowhere+podman"])
def test_everything_else_is_a_folder(asked: list[ImageRequest], word: str) -> None:
    with pytest.raises(RigError, match="is not an image"):
        chosen_image(word, QuietReporter())
    assert asked == []
