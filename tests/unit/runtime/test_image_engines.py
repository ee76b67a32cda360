"""podman, docker and ctr asked for images. The programs are doubles: scripts that know what the real ones answer."""

import os
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_runtime.image.engine import engine_of, engine_with, engines
from hybrid_runtime.image.engine_command import SAFE_PATH, Commands, Unanswered
from hybrid_runtime.image.reference import Reference
from hybrid_runtime.image.temporary import TemporaryFiles
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from tests.image_builder import LayoutBuilder

AddDouble = Callable[[str, str], None]

# Real answers: podman 4.3, docker 28 with a 20.10 daemon, ctr 1.6.
PODMAN = """
case "$*" in
"image exists -- motor:v1"|"image exists -- list") exit 0;;
"image exists -- "*) exit 1;;
"artifact inspect -- pump:v1") echo '{"Manifest": {}, "Name": "registry:5000/pump:v1"}';;
"artifact inspect -- strange") echo strange;;
"artifact inspect -- "*) echo "Error: no artifact found" >&2; exit 125;;
"info --format {{.Store.GraphRoot}}") echo /var/lib/containers/storage;;
"manifest exists -- list") exit 0;;
"manifest exists -- "*) echo "Error: image is not a manifest list" >&2; exit 125;;
"image save --quiet --format oci-archive -- motor:v1") cat "$IMAGE";;
"image save "*) echo "Error: nope: image not known" >&2; exit 125;;
"manifest push --all --quiet -- list oci-archive:"*) cp "$IMAGE" "${7#oci-archive:}";;
*) exit 99;;
esac
"""
DOCKER = """
case "$*" in
"--version") echo "Docker version 28.2.2, build e6534b4";;
"image inspect --format {{.Id}} -- motor:v1") echo sha256:1;;
"image inspect "*) echo; echo "Error response from daemon: No such image: $5:latest" >&2; exit 1;;
"image save -- motor:v1") cat "$IMAGE";;
*) exit 99;;
esac
"""
CTR = """
case "$*" in
"namespaces list --quiet") printf 'default\\nk8s.io\\nmoby\\n';;
"--namespace default images list --quiet") printf 'docker.io/library/motor:v1\\nregistry:5000/pump:v1\\n';;
"--namespace k8s.io images list --quiet") printf 'docker.io/acme/motor:v1\\ndocker.io/acme/pump:v2\\n';;
"--namespace moby images list --quiet") printf 'docker.io/library/valve:v1\\ndocker.io/acme/pump:v2\\n';;
"--namespace moby images export --all-platforms -- - docker.io/library/valve:v1") cat "$IMAGE";;
"--namespace default images export --all-platforms -- - docker.io/library/motor:v1") cat "$IMAGE";;
"--namespace k8s.io images export --all-platforms -- - docker.io/acme/motor:v1") echo junk; exit 1;;
"--namespace k8s.io images export -- - docker.io/acme/motor:v1") cat "$IMAGE";;
*) exit 99;;
esac
"""


@pytest.fixture
def add_double(tmp_path: Path) -> AddDouble:
    """Puts a double of a program on the path."""
    (tmp_path / "bin").mkdir()

    def add(name: str, script: str) -> None:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)

    return add


@pytest.fixture
def image(tmp_path: Path) -> Path:
    builder = LayoutBuilder()
    return builder.add(builder.image()).archive(tmp_path / "double-image.tar")


@pytest.fixture
def commands(tmp_path: Path, image: Path) -> Commands:
    (tmp_path / "temporary").mkdir()
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "IMAGE": str(image)}
    found = Commands(TemporaryFiles([str(tmp_path / "temporary")]), Deadline(30), environment)
    found.path = f"{tmp_path}/bin"
    return found


def export(commands: Commands, prefix: str, name: str) -> bytes:
    descriptor = engine_of(prefix, engines(commands)).export(name)
    assert isinstance(descriptor, int)
    with os.fdopen(descriptor, "rb") as source:
        source.seek(0)
        return source.read()


@pytest.mark.parametrize(
    ("prefix", "name"),
    [
        ("containers-storage", "motor:v1"),
        ("containers-storage", "list"),
        ("docker-daemon", "motor:v1"),
        ("containerd", "motor:v1"),
        ("containerd", "default/library/motor:v1"),
        ("containerd", "k8s.io/docker.io/acme/motor:v1"),
        ("containerd", "valve:v1"),
    ],
)
def test_exports(
    commands: Commands, add_double: AddDouble, image: Path, tmp_path: Path, prefix: str, name: str
) -> None:
    for program, script in (("podman", PODMAN), ("docker", DOCKER), ("ctr", CTR)):
        add_double(program, script)
    assert export(commands, prefix, name) == image.read_bytes()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.mark.parametrize(
    ("prefix", "name", "words"),
    [
        ("containers-storage", "nope", "podman gives no image: Error: nope: image not known"),
        ("docker-daemon", "nope", "docker gives no image: exit code 99"),
        ("containerd", "pump:v1", "containerd has no image `pump:v1`"),
        ("containerd", "acme/pump:v2", "containerd:k8s.io/acme/pump:v2 or containerd:moby/acme/pump:v2"),
    ],
)
def test_what_an_engine_has_not(commands: Commands, add_double: AddDouble, prefix: str, name: str, words: str) -> None:
    for program, script in (("podman", PODMAN), ("docker", DOCKER), ("ctr", CTR)):
        add_double(program, script)
    with pytest.raises(Failure, match=words):
        export(commands, prefix, name)


def test_who_has_a_name(commands: Commands, add_double: AddDouble) -> None:
    every = engines(commands)
    with pytest.raises(Failure) as nobody:
        engine_with("motor:v1", every)
    for program in ("podman", "docker", "ctr"):
        assert f"`{program}` is not installed" in str(nobody.value)
    add_double("docker", 'echo "Cannot connect to the Docker daemon. Is the docker daemon running?" >&2; exit 1')
    add_double("podman", PODMAN)
    assert engine_with("motor:v1", every).prefix == "containers-storage"
    with pytest.raises(
        Failure, match=r"podman has none, docker cannot tell: Cannot connect .*\?, `ctr` is not installed"
    ):
        engine_with("other", every)
    add_double("ctr", CTR)
    with pytest.raises(Failure, match="containers-storage:motor:v1 or containerd:motor:v1"):
        engine_with("motor:v1", every)
    add_double("docker", DOCKER)
    with pytest.raises(Failure, match="3 engines have an image `motor:v1`"):
        engine_with("motor:v1", every)
    with pytest.raises(Failure, match="podman has none, docker has none, ctr has none"):
        engine_with("other", every)


def test_an_artifact_of_podman_lies_in_a_layout(commands: Commands, add_double: AddDouble) -> None:
    add_double("podman", PODMAN)
    podman = engine_of("containers-storage", engines(commands))
    assert podman.has("pump:v1")
    place = podman.export("pump:v1")
    assert isinstance(place, Reference)
    assert (place.kind, place.place) == ("oci", "/var/lib/containers/storage/artifacts")
    assert place.selector == "registry:5000/pump:v1"
    with pytest.raises(Unanswered, match="podman cannot tell"):
        podman.has("strange")


def test_podman_in_the_clothes_of_docker_is_not_asked_twice(commands: Commands, add_double: AddDouble) -> None:
    add_double("podman", PODMAN)
    add_double("docker", f'case "$1" in --version) echo "podman version 4.3.1"; exit;; esac\n{PODMAN}')
    assert engine_with("motor:v1", engines(commands)).prefix == "containers-storage"


def test_an_engine_that_hangs_is_ended(commands: Commands, add_double: AddDouble) -> None:
    commands.deadline = Deadline(0.3)
    add_double("docker", "exec sleep 600")
    begun = time.monotonic()
    with pytest.raises(Failure, match="`docker` has not answered within"):
        export(commands, "docker-daemon", "motor")
    assert time.monotonic() - begun < 5


def test_an_engine_says_strange_things(commands: Commands, add_double: AddDouble) -> None:
    add_double("podman", "printf '\\033[2J\\377\\n%5000d\\n' 1 >&2; exit 7")
    with pytest.raises(Failure) as refused:
        export(commands, "containers-storage", "motor")
    assert str(refused.value).isprintable()
    add_double("podman", "kill -9 $$")
    with pytest.raises(Failure, match="killed by signal 9"):
        export(commands, "containers-storage", "motor")


def test_names_are_words_of_their_own(commands: Commands, add_double: AddDouble, tmp_path: Path) -> None:
    add_double("podman", f'for word; do echo "$word" >> {tmp_path}/words; done; exit 1')
    engine_of("containers-storage", engines(commands)).has("--x;$(touch y)")
    assert (tmp_path / "words").read_text().splitlines() == [
        *("image", "exists", "--", "--x;$(touch y)"),
        *("artifact", "inspect", "--", "--x;$(touch y)"),
    ]


@pytest.mark.parametrize(("path", "searched"), [("", SAFE_PATH), (".:bin:", SAFE_PATH), ("/a::/b:.", "/a:/b")])
def test_the_search_path_has_no_relative_folders(tmp_path: Path, path: str, searched: str) -> None:
    commands = Commands(TemporaryFiles([str(tmp_path)]), Deadline(1), {"PATH": path} if path else {})
    assert commands.path == commands.environment["PATH"] == searched


def test_only_programs_are_run(commands: Commands, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/podman").mkdir()
    (tmp_path / "bin/docker").write_text("")
    assert commands.find("podman") is None
    assert commands.find("docker") is None
    (tmp_path / "bin/docker").chmod(stat.S_IXUSR | stat.S_IRUSR)
    assert commands.find("docker") == f"{tmp_path}/bin/docker"
    assert subprocess.run(["/bin/sh", "-n"], input=PODMAN + DOCKER + CTR, text=True, check=True).returncode == 0
