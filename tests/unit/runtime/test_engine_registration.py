"""`install` and `uninstall`: what they write into the settings of engines, and what they leave alone."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from hybrid_runtime.setup.engine.registration import ENGINES
from hybrid_runtime.setup.engine.settings_file import COMMAND, names_us
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

RUNTIME = Path(__file__).resolve().parents[3] / "runtime"
SETTINGS = RUNTIME / "engines"
MANUAL = RUNTIME / "man/hybrid-runtime.8"
DROP_INS = {
    "podman": "etc/containers/containers.conf.d/hybrid-runtime.conf",
    "crio": "etc/crio/crio.conf.d/hybrid-runtime.conf",
}
IMPORTING = 'version = 2\nimports = ["/etc/containerd/conf.d/*.toml"]\n'
# As Debian ships it.
OCCUPIED = 'version = 2\n\n[plugins]\n  [plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/usr/lib/cni"\n'


def place(double: RemoteprocDouble, name: str, text: str) -> Path:
    path = double.sysroot / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def files(double: RemoteprocDouble) -> dict[str, str]:
    found = [path for path in (double.sysroot / "etc").rglob("*") if path.is_file()]
    return {str(path.relative_to(double.sysroot)): path.read_text() for path in found}


def runtimes(text: str, plugin: str) -> dict[str, object]:
    found: dict[str, object] = tomllib.loads(text)["plugins"][plugin]["containerd"]["runtimes"]
    return found


@pytest.mark.parametrize("engine", DROP_INS)
def test_a_drop_in_comes_and_goes(command: Command, double: RemoteprocDouble, engine: str) -> None:
    path = double.sysroot / DROP_INS[engine]
    assert command.run("install", engine).stdout.startswith(f"wrote `{path}`\n")
    assert names_us(tomllib.loads(path.read_text()))
    assert path.stat().st_mode & 0o777 == 0o644
    printed = command.run("install", engine, "--print").stdout
    assert printed == path.read_text()
    assert command.run("install", engine).stdout == f"`{engine}` knows this runtime already\n"
    path.write_text("# of an older release\n")
    command.run("install", engine)
    assert path.read_text() == printed
    assert command.run("uninstall", engine).stdout.startswith(f"removed `{path}`\n")
    assert files(double) == {}
    assert command.run("uninstall", engine).stdout == f"`{engine}` does not know this runtime\n"


@pytest.mark.parametrize("engine", ["podman", "docker", "containerd", "crio", "k3s"])
def test_printing_changes_nothing(command: Command, double: RemoteprocDouble, engine: str) -> None:
    printed = command.run("install", "--print", engine).stdout
    # Not the path packages have: this command was deployed elsewhere.
    assert json.dumps(str(command.launcher)) in printed
    assert files(double) == {}


def test_templates_name_the_command_of_packages() -> None:
    """Quoted like this it is put right on machines that have it elsewhere."""
    texts = {
        path: path.read_text()
        for path in SETTINGS.rglob("*")
        if path.suffix in (".conf", ".toml", ".tmpl", ".json") and "runc" not in path.name
    }
    assert len(texts) == 7
    assert [path for path, text in texts.items() if f'"{COMMAND}"' not in text] == []


def test_podman_is_told_every_runtime_it_had() -> None:
    """A list replaces the built-in one."""
    engine = tomllib.loads((SETTINGS / "podman/hybrid-runtime.conf").read_text())["engine"]
    assert set(engine["runtime_supports_json"]) > {"crun", "runc", "kata", "runsc", "youki", "krun"}
    assert set(engine["runtime_supports_nocgroup"]) > {"crun", "krun"}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_a_private_daemon_json_has_a_private_backup(command: Command, double: RemoteprocDouble, mode: int) -> None:
    """It may hold the password of a proxy."""
    path = place(double, "etc/docker/daemon.json", '{"a": 1}')
    path.chmod(mode)
    if os.geteuid() == 0:
        os.chown(path, 54321, 54322)
    before = path.stat()
    for words in (("install", "docker"), ("uninstall", "docker")):
        old = os.umask(0)
        try:
            command.run(*words)
        finally:
            os.umask(old)
        for file in path.parent.iterdir():
            facts = file.stat()
            assert (facts.st_mode, facts.st_uid, facts.st_gid) == (before.st_mode, before.st_uid, before.st_gid), file


def test_new_folders_are_not_everybody_s_to_write(command: Command, double: RemoteprocDouble) -> None:
    old = os.umask(0)
    try:
        command.run("install", "podman")
    finally:
        os.umask(old)
    path = double.sysroot / DROP_INS["podman"]
    assert path.stat().st_mode & 0o777 == 0o644
    for folder in list(path.parents)[: len(Path(DROP_INS["podman"]).parts) - 1]:
        assert folder.stat().st_mode & 0o777 == 0o755, folder


@pytest.mark.parametrize(
    "before",
    [
        '{"log-driver": "json-file",\n "runtimes": {"kata": {"path": "/usr/bin/kata"}}}\n',
        '{"bip": "10.9.0.1/24"}',
        "{}\n",
    ],
    ids=["runtimes", "others", "empty"],
)
def test_daemon_json_is_merged_and_comes_back(command: Command, double: RemoteprocDouble, before: str) -> None:
    path = place(double, "etc/docker/daemon.json", before)
    path.chmod(0o600)
    command.run("install", "docker")
    merged = json.loads(path.read_text())
    assert names_us(merged["runtimes"].pop("hybrid-runtime"))
    assert {**json.loads(before), "runtimes": merged["runtimes"]} == {"runtimes": {}, **merged}
    assert path.stat().st_mode & 0o777 == 0o600
    assert (path.parent / "daemon.before-hybrid-runtime.json").read_text() == before
    assert command.run("install", "docker").stdout == "`docker` knows this runtime already\n"
    command.run("uninstall", "docker")
    assert files(double) == {"etc/docker/daemon.json": before}


def test_what_docker_learnt_meanwhile_stays(command: Command, double: RemoteprocDouble) -> None:
    path = place(double, "etc/docker/daemon.json", '{"a": 1}')
    command.run("install", "docker")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"a": 2}))
    command.run("uninstall", "docker")
    assert {name: json.loads(text) for name, text in files(double).items()} == {"etc/docker/daemon.json": {"a": 2}}


def test_docker_without_settings(command: Command, double: RemoteprocDouble) -> None:
    command.run("install", "docker")
    assert list(files(double)) == ["etc/docker/daemon.json"]
    command.run("uninstall", "docker")
    assert files(double) == {}


def test_a_link_stays_a_link(command: Command, double: RemoteprocDouble) -> None:
    target = place(double, "etc/managed/daemon.json", "{}")
    link = double.sysroot / "etc/docker/daemon.json"
    link.parent.mkdir()
    link.symlink_to(target)
    command.run("install", "docker")
    assert link.is_symlink()
    assert names_us(json.loads(target.read_text()))


@pytest.mark.parametrize("text", ["{", "[]", '{"runtimes": 3}', ""])
def test_settings_that_docker_cannot_read(command: Command, double: RemoteprocDouble, text: str) -> None:
    path = place(double, "etc/docker/daemon.json", text)
    for verb in ("install", "uninstall"):
        assert f"`{path}`" in command.run(verb, "docker", code=1).stderr
    assert files(double) == {"etc/docker/daemon.json": text}


def test_the_default_runtime_is_not_pulled_away(command: Command, double: RemoteprocDouble) -> None:
    place(double, "etc/docker/daemon.json", '{"default-runtime": "hybrid-runtime"}')
    command.run("install", "docker")
    assert "name another one first" in command.run("uninstall", "docker", code=1).stderr


def test_an_entry_of_our_name_stays_as_it_is(command: Command, double: RemoteprocDouble) -> None:
    """With its arguments, when it leads here. What leads elsewhere is told."""
    entry = {"path": str(command.launcher), "runtimeArgs": ["--processor", "motor"]}
    text = json.dumps({"runtimes": {"hybrid-runtime": entry}})
    path = place(double, "etc/docker/daemon.json", text)
    assert command.run("install", "docker").stdout == "`docker` knows this runtime already\n"
    path.write_text('{"runtimes": {"hybrid-runtime": {"path": "/opt/other"}}}')
    refused = command.run("install", "docker", code=1).stderr
    assert "the runtime `hybrid-runtime` is `/opt/other` there (remove that entry, or give it another name)" in refused
    assert list(files(double)) == ["etc/docker/daemon.json"]


def test_docker_forgets_when_it_starts_again(command: Command) -> None:
    assert command.run("install", "docker").stdout.endswith("reads it after `systemctl reload docker`\n")
    assert command.run("uninstall", "docker").stdout.endswith("reads it after `systemctl restart docker`\n")


def test_containerd_on_its_built_in_settings(command: Command, double: RemoteprocDouble) -> None:
    command.run("install", "containerd")
    written = files(double)
    first, rest = written.pop("etc/containerd/config.toml").split("\n", 1)
    assert first.startswith("# Put here by ")
    assert rest == IMPORTING
    drop_in = written.pop("etc/containerd/conf.d/hybrid-runtime.toml")
    assert tomllib.loads(drop_in)["version"] == 2
    assert names_us(runtimes(drop_in, "io.containerd.grpc.v1.cri")["hybrid-runtime"])
    assert "runc" in runtimes(drop_in, "io.containerd.grpc.v1.cri")
    assert written == {}
    assert command.run("install", "containerd").stdout == "`containerd` knows this runtime already\n"
    command.run("uninstall", "containerd")
    assert files(double) == {}


VERSION_1 = '[plugins.cri.cni]\nbin_dir = "/usr/lib/cni"\n'
PLUGINS = {1: "cri", 2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}


@pytest.mark.parametrize(
    ("main", "version"),
    [
        (OCCUPIED, 2),
        (OCCUPIED.rstrip("\n"), 2),
        (OCCUPIED.replace("\n", "\r\n"), 2),
        ("version = 2\n", 2),
        ('imports = ["conf.d/*.toml"]\n' + OCCUPIED, 2),
        (VERSION_1, 1),
        ("version = 3\n", 3),
    ],
    ids=["as Debian has it", "no last line end", "Windows", "no imports", "a section beside imports", "1", "3"],
)
def test_lines_at_the_end_come_and_go(command: Command, double: RemoteprocDouble, main: str, version: int) -> None:
    path = place(double, "etc/containerd/config.toml", "")
    path.write_bytes(main.encode())
    path.chmod(0o640)
    assert command.run("install", "containerd").stdout.startswith(f"wrote `{path}`\n")
    written = path.read_bytes().decode()
    assert written.startswith(main)
    assert path.stat().st_mode & 0o777 == 0o640
    assert set(runtimes(written, PLUGINS[version])) == {"runc", "hybrid-runtime"}
    assert names_us(tomllib.loads(written))
    assert command.run("install", "containerd").stdout == "`containerd` knows this runtime already\n"
    path.write_bytes(path.read_bytes() + b"[debug]\n")
    command.run("uninstall", "containerd")
    # A file without a last line end has got one.
    kept = main if main.endswith("\n") else f"{main}\n"
    assert path.read_bytes().decode() == f"{kept}[debug]\n"
    assert command.run("uninstall", "containerd").stdout == "`containerd` does not know this runtime\n"


INLINE = 'version = 2\nplugins = {"io.containerd.grpc.v1.cri" = {cni = {bin_dir = "/usr/lib/cni"}}}\n'


def test_what_another_file_says_is_left_alone(command: Command, double: RemoteprocDouble) -> None:
    """containerd 1 takes the section of the last file that has one."""
    place(double, "etc/containerd/config.toml", IMPORTING)
    appended = place(double, "etc/containerd/conf.d/cni.toml", OCCUPIED)
    before = files(double)
    left = command.run("install", "containerd", code=3)
    assert files(double) == before
    assert f"`{appended}` is never rewritten" in left.stderr
    # The remedy, as it is printed.
    appended.write_text(appended.read_text() + left.stdout)
    assert set(runtimes(appended.read_text(), "io.containerd.grpc.v1.cri")) == {"runc", "hybrid-runtime"}
    assert command.run("install", "containerd").stdout == "`containerd` knows this runtime already\n"


def test_inline_tables_cannot_be_added_to(command: Command, double: RemoteprocDouble) -> None:
    path = place(double, "etc/containerd/config.toml", INLINE)
    assert "it has inline tables" in command.run("install", "containerd", code=3).stderr
    assert path.read_text() == INLINE


def test_containerd_2_merges_what_several_files_say(command: Command, double: RemoteprocDouble) -> None:
    main = OCCUPIED.replace("version = 2", 'version = 3\nimports = ["conf.d/*.toml"]').replace(
        "grpc.v1.cri", "cri.v1.runtime"
    )
    path = place(double, "etc/containerd/config.toml", main)
    command.run("install", "containerd")
    drop_in = files(double)["etc/containerd/conf.d/hybrid-runtime.toml"]
    assert set(runtimes(drop_in, "io.containerd.cri.v1.runtime")) == {"runc", "hybrid-runtime"}
    command.run("uninstall", "containerd")
    assert files(double) == {"etc/containerd/config.toml": main}
    assert path.read_text() == main


def test_taking_lines_out_of_a_toml_file_is_left_too(command: Command, double: RemoteprocDouble) -> None:
    path = place(double, "etc/containerd/config.toml", OCCUPIED)
    path.write_text(OCCUPIED + command.run("install", "--print", "containerd").stdout)
    before = files(double)
    left = command.run("uninstall", "containerd", code=3)
    assert "take these lines out of it" in left.stderr
    assert files(double) == before
    assert ".runtimes.runc]" not in left.stdout
    path.write_text(path.read_text().replace(left.stdout, ""))
    assert command.run("uninstall", "containerd").stdout == "`containerd` does not know this runtime\n"


def test_runtimes_that_are_there_are_not_named_twice(command: Command, double: RemoteprocDouble) -> None:
    """As `containerd config default` has them; TOML has each table once."""
    table = '[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n'
    path = place(double, "etc/containerd/config.toml", f"version = 2\n{table}")
    command.run("install", "containerd")
    assert set(runtimes(path.read_text(), "io.containerd.grpc.v1.cri")) == {"runc", "hybrid-runtime"}


def test_a_configuration_like_ours_is_somebody_else_s(command: Command, double: RemoteprocDouble) -> None:
    path = place(double, "etc/containerd/config.toml", IMPORTING)
    command.run("install", "containerd")
    command.run("uninstall", "containerd")
    assert files(double) == {"etc/containerd/config.toml": IMPORTING}
    assert path.exists()


def test_the_version_of_the_configuration_counts(command: Command, double: RemoteprocDouble) -> None:
    path = place(double, "etc/containerd/config.toml", 'version = 3\nimports = ["/etc/containerd/conf.d/*.toml"]\n')
    command.run("install", "containerd")
    drop_in = files(double)["etc/containerd/conf.d/hybrid-runtime.toml"]
    assert names_us(runtimes(drop_in, "io.containerd.cri.v1.runtime"))
    path.write_text("version = 0\n")
    assert f"`{path}` is of version `0`" in command.run("install", "containerd", code=1).stderr
    path.write_text("version = 2\n[")
    assert f"cannot read `{path}`" in command.run("install", "containerd", code=1).stderr


def test_k3s(command: Command, double: RemoteprocDouble) -> None:
    folder = double.sysroot / "var/lib/rancher/k3s/agent/etc/containerd"
    command.run("install", "k3s")
    first, blank, *lines = (folder / "config.toml.tmpl").read_text().splitlines()
    assert (first, blank) == ('{{ template "base" . }}', "")
    assert names_us(runtimes("\n".join(lines), "io.containerd.grpc.v1.cri"))
    assert command.run("install", "k3s").stdout == "`k3s` knows this runtime already\n"
    command.run("uninstall", "k3s")
    assert list(folder.iterdir()) == []
    (folder / "config-v3.toml.tmpl").write_text('{{ template "base" . }}\n')
    left = command.run("install", "k3s", code=3)
    assert names_us(runtimes(left.stdout, "io.containerd.cri.v1.runtime"))
    assert "config-v3.toml.tmpl` is never rewritten, and it is a template of your own" in left.stderr


def test_k3s_is_told_what_containerd_is_told() -> None:
    """One file each, so that both can be read as they are; a difference would be a mistake."""

    def settings(name: str) -> list[str]:
        return [line for line in (SETTINGS / name).read_text().splitlines() if line and line[0] not in "#{"]

    assert settings("k3s/config.toml.tmpl") == settings("containerd/runtime-v2.toml")


@pytest.mark.parametrize("page", ["help", "manual"])
def test_pages_name_all_engines(command: Command, page: str) -> None:
    text = MANUAL.read_text(encoding="ascii") if page == "manual" else command.run("install", "--help").stdout
    listed = re.search(r"podman, docker[\w, ]*", text)
    assert listed
    assert re.split(", | or ", listed[0]) == [engine.name for engine in ENGINES]


def test_unknown_engines(command: Command) -> None:
    assert "known are podman, docker, containerd, crio, k3s" in command.run("install", "lxc", code=2).stderr


def test_a_folder_in_the_way(command: Command, double: RemoteprocDouble) -> None:
    (double.sysroot / DROP_INS["podman"] / "full").mkdir(parents=True)
    assert "hybrid-runtime.conf`: it is a folder" in command.run("install", "podman", code=1).stderr
