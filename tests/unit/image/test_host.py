"""The one list of packages is read alike by Python and by the script, and says what is missing."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from hybrid_hil.host import Need, buildroot_needs, find_program, needs, needs_of_tests, package_of, program
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.host.needs import distribution, parse_needs

RIG = "rig"


def test_list_parses() -> None:
    assert parse_needs("# comment\n\ndtc device-tree-compiler\n/a/file pkg\nbrowser pkg debian\n") == [
        Need("dtc", "device-tree-compiler"),
        Need("/a/file", "pkg"),
        Need("browser", "pkg", "debian"),
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n', "debian"),
        ('ID="ubuntu"\nID_LIKE=debian\n', "ubuntu"),
        ("", ""),
    ],
)
def test_distribution(text: str, name: str) -> None:
    assert distribution(text) == name


def test_nothing_is_in_two_lists() -> None:
    things = [need.thing for need in (*needs(), *needs_of_tests(), *buildroot_needs())]
    assert len(set(things)) == len(things)


def test_commands_the_rig_runs_are_in_the_list() -> None:
    listed = {need.thing for need in needs()}
    run = {"qemu-system-aarch64", "mmdebstrap", "make", "dtc", "mke2fs", "aarch64-linux-gnu-gcc", "setpriv"}
    assert run <= listed


@pytest.mark.parametrize(
    ("thing", "met"),
    [
        ("sh", True),
        ("no-such-command", False),
        ("/etc/passwd", True),
        ("/no/such/file", False),
        ("python3:json", True),
        ("python3:no_such_module", False),
    ],
)
def test_needs_are_met_or_not(thing: str, met: bool) -> None:
    assert Need(thing, "package").met() is met


def test_programs_of_root_are_found_without_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(program, "SYSTEM_FOLDERS", ("/no/such/folder", str(tmp_path)))
    assert find_program("mke2fs") is None
    (tmp_path / "mke2fs").touch(0o755)
    assert find_program("mke2fs") == str(tmp_path / "mke2fs")


def test_package_of_what_is_not_listed_is_unknown() -> None:
    assert package_of("qemu-system-aarch64") == "qemu-system-arm"
    assert package_of("no-such-command") is None


@pytest.fixture
def bare_machine(tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH has what a bare system has, but none of the packages, and an apt-get that
    only writes down how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dirname", "env", "id", "flock", "cmp", "printf"):
        program = find_program(name)
        assert program is not None
        (folder / name).symlink_to(program)
    (folder / "apt-get").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/called\nexit 1\n')
    python = find_program("python3")
    (folder / "python3").write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    for name in ("apt-get", "python3"):
        (folder / name).chmod(0o755)
    return {"PATH": str(folder), "LC_ALL": "C"}


def run_rig(checkout: Path, environment: dict[str, str], verb: str = "boot") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(checkout / RIG), verb],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with nothing but the script and lists with things that are not there."""
    copy = tmp_path / "checkout"
    (copy / "hil/hybrid_hil/host").mkdir(parents=True)
    (copy / RIG).write_text((checkout_root() / RIG).read_text())
    (copy / "hil/hybrid_hil/host/host-packages.txt").write_text(
        "# comment\n\nsh dash\n/no/such/file its-package\nno-such-command other-package\n"
    )
    here = distribution(Path("/etc/os-release").read_text())
    (copy / "hil/hybrid_hil/host/test-packages.txt").write_text(
        f"no-such-tool tool\nno-such-browser browser {here}\nno-such-shell shell elsewhere\n"
    )
    return copy


def test_script_without_a_terminal_or_root_stops_with_the_command(checkout: Path, bare_machine: dict[str, str]) -> None:
    pretend_user(Path(bare_machine["PATH"]), 1000)
    done = run_rig(checkout, bare_machine)
    assert done.returncode == 2
    assert re.search(r"sudo apt-get install \S+ its-package other-package$", done.stderr, re.MULTILINE)
    assert not (checkout.parent / "called").exists()


@pytest.mark.parametrize("verb", ["test", "nightly", "doctor"])
def test_script_sees_to_what_tests_need_where_the_distribution_has_it(
    checkout: Path, bare_machine: dict[str, str], verb: str
) -> None:
    pretend_user(Path(bare_machine["PATH"]), 1000)
    done = run_rig(checkout, bare_machine, verb)
    assert done.returncode == 2
    command = done.stderr.splitlines()[1]
    assert command.endswith("--no-install-recommends its-package other-package tool browser")


def test_script_as_root_installs_saying_so_and_stops_when_that_fails(
    checkout: Path, bare_machine: dict[str, str]
) -> None:
    pretend_user(Path(bare_machine["PATH"]), 0)
    done = run_rig(checkout, bare_machine)
    assert done.returncode == 2
    assert "rig: installing its-package other-package" in done.stderr
    assert "apt-get failed" in done.stderr
    assert (checkout.parent / "called").read_text() == "-qq update\n"


def test_script_in_ci_uses_sudo(checkout: Path, bare_machine: dict[str, str]) -> None:
    folder = Path(bare_machine["PATH"])
    pretend_user(folder, 1000)
    (folder / "sudo").write_text(f'#!/bin/sh\necho "sudo $@" >> {checkout.parent}/called\nexit 1\n')
    (folder / "sudo").chmod(0o755)
    done = run_rig(checkout, {**bare_machine, "CI": "true"})
    assert done.returncode == 2
    assert "sudo env DEBIAN_FRONTEND=noninteractive apt-get" in (checkout.parent / "called").read_text()


def pretend_user(folder: Path, number: int) -> None:
    (folder / "id").unlink()
    (folder / "id").write_text(f"#!/bin/sh\necho {number}\n")
    (folder / "id").chmod(0o755)
    assert os.access(folder / "id", os.X_OK)
