"""What the text that names an image means, and what it never becomes: an option, a path outside, a pattern."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.image.reference import parse_reference
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import LONGEST_VALUE, quote
from tests.unit.runtime.command_runner import attempt

DIGEST = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("text", "kind", "place", "selector"),
    [
        ("oci:/a/b", "oci", "/a/b", ""),
        ("oci:a:v1", "oci", "a", "v1"),
        ("oci:a:localhost/x:v1", "oci", "a", "localhost/x:v1"),
        (f"oci:a:{DIGEST}", "oci", "a", DIGEST),
        ("oci-archive:x.tar", "oci-archive", "x.tar", ""),
        ("docker-archive:x.tar:motor:v1", "docker-archive", "x.tar", "motor:v1"),
        ("containers-storage:localhost/motor:v1", "containers-storage", "localhost/motor:v1", ""),
        ("docker-daemon:motor", "docker-daemon", "motor", ""),
        (f"docker-daemon:motor@{DIGEST}", "docker-daemon", f"motor@{DIGEST}", ""),
        ("containerd:k8s.io/docker.io/library/motor:v1", "containerd", "k8s.io/docker.io/library/motor:v1", ""),
        ("motor", "name", "motor", ""),
        ("registry:5000/motor", "name", "registry:5000/motor", ""),
    ],
)
def test_forms(text: str, kind: str, place: str, selector: str) -> None:
    reference = parse_reference(text)
    assert (reference.kind, reference.place, reference.selector) == (kind, place, selector)


@pytest.mark.parametrize(
    "name", ["-x", "--help", "", ".", "..", "a b", "a;b", "a\nb", "$(a)", "a*", "ä", "a\0", "x" * 513, "@x", "\udcff"]
)
@pytest.mark.parametrize("prefix", ["", "containers-storage:", "docker-daemon:", "containerd:"])
def test_names_that_are_none(prefix: str, name: str) -> None:
    with pytest.raises(Failure) as refused:
        parse_reference(prefix + name)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("text", ["oci:", "oci::v1", "docker-archive:"])
def test_a_path_is_needed(text: str) -> None:
    with pytest.raises(Failure, match="names no path"):
        parse_reference(text)


@pytest.mark.parametrize("text", ["/no/such", "./motor", "../motor"])
def test_paths_are_never_asked_of_engines(text: str) -> None:
    with pytest.raises(Failure, match="`: file not found"):
        parse_reference(text)


def test_what_is_there_comes_before_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("motor").write_bytes(b"x")
    assert parse_reference("motor").kind == "archive"
    Path("layout").mkdir()
    with pytest.raises(Failure, match="without an oci-layout"):
        parse_reference("layout")
    Path("layout/oci-layout").write_bytes(b"{}")
    assert parse_reference("layout").kind == "oci"
    Path("dangling").symlink_to("nowhere")
    with pytest.raises(Failure, match="neither a firmware file nor an image"):
        parse_reference("dangling")


@pytest.mark.parametrize("ending", [".elf", ".axf", ".out", ".bin", ".hex", ".tar", ".tar.gz"])
def test_a_mistyped_file_is_looked_for_nowhere_else(ending: str) -> None:
    with pytest.raises(Failure, match=f"^`nope{ending}`: file not found ") as raised:
        parse_reference(f"nope{ending}")
    assert raised.value.remedy == (
        f"correct the path; an image of that name is containers-storage:nope{ending} or docker-daemon:nope{ending} "
        f"or containerd:nope{ending}"
    )
    # With a tag, and with the engine's prefix, it is a name.
    assert parse_reference(f"nope{ending}:v1").kind == "name"
    assert parse_reference(f"docker-daemon:nope{ending}").place == f"nope{ending}"


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    reference = attempt(lambda: parse_reference(text), Failure)
    if isinstance(reference, Failure):
        assert str(reference).isprintable()
    elif reference.kind in ("name", "docker-daemon", "containerd", "containers-storage"):
        assert reference.place[0].isalnum()


@given(st.text(max_size=200))
def test_quotes_are_short_lines(text: str) -> None:
    assert quote(text).isprintable()
    assert len(quote(text)) <= LONGEST_VALUE + 2
