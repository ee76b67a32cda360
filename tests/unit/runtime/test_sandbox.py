"""Sandboxes of pods, handed to a double of runc; real ones are made by containerd in tests/engines."""

import json
import signal
from pathlib import Path

import pytest

from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

CONTAINERD = {"io.kubernetes.cri.container-type": "sandbox"}
CRIO = {"io.kubernetes.cri-o.ContainerType": "sandbox"}
# Says how it was called, and which signals it would ignore.
RUNC = '#!/bin/sh\nprintf "%s\\n" "$0" "$@"\ngrep SigIgn /proc/self/status >&2\nexit 7\n'


def place(path: Path, text: str = RUNC, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def configure(double: RemoteprocDouble, text: str) -> None:
    place(double.sysroot / "etc/hybrid-runtime/config.json", text, 0o644)


def keep_theirs(double: RemoteprocDouble, file: str = "state.json") -> None:
    """As runc or crun does under the same --root."""
    place(double.root / "pod" / file, "{}")


@pytest.fixture
def runc(double: RemoteprocDouble) -> Path:
    return place(double.sysroot / "usr/sbin/runc")


@pytest.fixture
def sandbox(tmp_path: Path, firmware: Path) -> Path:
    process = {"cwd": "/", "args": ["/pause", "of", "several", "words"]}
    return write_bundle(tmp_path / "pod", firmware, annotations=CONTAINERD, process=process)


@pytest.mark.parametrize("annotations", [CONTAINERD, CRIO], ids=["containerd", "cri-o"])
def test_create_of_a_sandbox(
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    runc: Path,
    sandbox: Path,
    annotations: dict[str, str],
) -> None:
    config = json.loads((sandbox / "config.json").read_text()) | {"annotations": annotations}
    (sandbox / "config.json").write_text(json.dumps(config))
    root = str(double.root)
    words = ["--root", root, "--systemd-cgroup", "create", "--bundle", str(sandbox), "--pid-file", "/x/pid", "pod"]
    outcome = command.run("--processor", "motor", *words, code=7)
    assert outcome.stdout.splitlines() == [str(runc), *words]
    ignored = int(outcome.stderr.split()[1], 16)
    assert not ignored & (1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1))
    assert (core.state, double.leftovers()) == ("offline", [])


@pytest.mark.parametrize("program", ["/catatonit", "/usr/libexec/podman/catatonit"])
def test_create_of_a_pod_of_podman(
    command: Command, double: RemoteprocDouble, runc: Path, tmp_path: Path, firmware: Path, program: str
) -> None:
    """Its first container is marked nowhere. podman names no root, and each runtime would take its own."""
    bundle = write_bundle(tmp_path / "pod", firmware, process={"cwd": "/", "args": [program, "-P"]})
    words = ["create", "--bundle", str(bundle), "--pid-file", "/x/pid", "pod"]
    outcome = command.run(*words, code=7)
    assert outcome.stdout.splitlines() == [str(runc), "--root", str(double.root), *words]
    keep_theirs(double, "status")
    outcome = command.run("delete", "--force", "pod", code=7)
    assert outcome.stdout.splitlines() == [str(runc), "--root", str(double.root), "delete", "--force", "pod"]


@pytest.mark.parametrize("file", ["state.json", "status"])
@pytest.mark.parametrize(
    "words",
    [
        ("start", "pod"),
        ("state", "pod"),
        ("kill", "--all", "pod", "9"),
        ("delete", "--force", "pod"),
        ("ps", "--format", "json", "pod"),
        ("update", "--resources", "-", "pod"),
        ("exec", "--process", "/x/process", "--detach", "--pid-file", "/x/pid", "pod"),
        ("pause", "pod"),
    ],
    ids=lambda words: words[0],
)
def test_later_verbs_of_a_sandbox(
    command: Command, double: RemoteprocDouble, runc: Path, file: str, words: tuple[str, ...]
) -> None:
    keep_theirs(double, file)
    outcome = command.run("--root", str(double.root), *words, code=7)
    assert outcome.stdout.splitlines() == [str(runc), "--root", str(double.root), *words]


@pytest.mark.parametrize(
    ("file", "settings", "program"),
    [
        ("state.json", "/usr/bin/crun", "usr/sbin/runc"),
        ("status", "/usr/sbin/runc", "usr/bin/crun"),
        ("status", "/opt/bin/crun-wasm", "opt/bin/crun-wasm"),
    ],
)
def test_whose_a_sandbox_is_outlives_the_settings(
    command: Command, double: RemoteprocDouble, runc: Path, file: str, settings: str, program: str
) -> None:
    """A pod was made by one runtime, and the settings name another one by now."""
    assert runc.exists()
    for path in ("usr/bin/crun", "opt/bin/crun-wasm"):
        place(double.sysroot / path)
    configure(double, json.dumps({"sandbox-runtime": settings}))
    keep_theirs(double, file)
    outcome = command.run("--root", str(double.root), "delete", "--force", "pod", code=7)
    assert outcome.stdout.splitlines()[0] == str(double.sysroot / program)


@pytest.mark.usefixtures("runc")
def test_ours_and_unknown_ones_stay_here(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    command.create(firmware, "motor")
    command.run("start", "motor")
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    assert "container does not exist" in command.run("state", "motor", code=1).stderr
    command.run("delete", "--force", "motor")


def test_nobody_to_hold_it(command: Command, core: ProcessorDouble, double: RemoteprocDouble, sandbox: Path) -> None:
    refused = command.run("create", "--bundle", sandbox, "pod", code=1)
    assert "there is no runtime to hold it (install runc or crun" in refused.stderr
    keep_theirs(double)
    assert "container does not exist" in command.run("state", "pod", code=1).stderr
    assert core.state == "offline"


def test_the_one_that_is_set(command: Command, double: RemoteprocDouble, runc: Path, sandbox: Path) -> None:
    own = place(double.sysroot / "opt/crun")
    configure(double, '{"sandbox-runtime": "/opt/crun"}')
    assert command.run("create", "--bundle", sandbox, "pod", code=7).stdout.startswith(f"{own}\n")
    configure(double, '{"sandbox-runtime": ""}')
    assert "no runtime to hold it" in command.run("create", "--bundle", sandbox, "pod", code=1).stderr
    configure(double, "{}")
    assert command.run("create", "--bundle", sandbox, "pod", code=7).stdout.startswith(f"{runc}\n")


@pytest.mark.usefixtures("runc")
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('{"sandbox-runtime": "/opt/none"}', "is `/opt/none`, which is no file"),
        ('{"sandbox-runtime": "crun"}', "sandbox-runtime is `crun` (name runc or crun by its absolute path"),
        ('{"sandbox-runtime": 3}', "sandbox-runtime is `3`"),
        ("{", "cannot read"),
        ("[]", "cannot read"),
    ],
)
def test_settings_that_cannot_be_used(
    command: Command, double: RemoteprocDouble, sandbox: Path, settings: str, says: str
) -> None:
    configure(double, settings)
    assert says in command.run("create", "--bundle", sandbox, "pod", code=1).stderr
    assert double.leftovers() == []


def test_this_runtime_under_their_name_is_passed_over(
    command: Command, double: RemoteprocDouble, sandbox: Path
) -> None:
    """Otherwise it would execute itself for ever."""
    link = double.sysroot / "usr/bin/runc"
    link.parent.mkdir(parents=True)
    link.symlink_to(command.launcher)
    assert "no runtime to hold it" in command.run("create", "--bundle", sandbox, "pod", code=1).stderr


def test_one_that_cannot_be_executed(command: Command, double: RemoteprocDouble, sandbox: Path) -> None:
    place(double.sysroot / "usr/bin/runc", mode=0o644)
    assert "cannot execute" in command.run("create", "--bundle", sandbox, "pod", code=1).stderr
