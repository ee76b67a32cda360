"""What a command on a fresh machine sees of this one, and that nothing of it stays; the machine has this one's /usr."""

import os
import subprocess
from pathlib import Path

import pytest

from fresh.fresh_machine import INSIDE, NAMESPACES
from hybrid_hil.deadline import Deadline

MARK = "9876543"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for folder in ("usr", "proc", "sys", "run", "dev", "tmp"):
        (tmp_path / "tree" / folder).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if Path("/", name).exists():
            (tmp_path / "tree" / name).symlink_to(f"usr/{name}")
    probe = subprocess.run([*NAMESPACES, "true"], check=False, capture_output=True, text=True)
    if probe.returncode:
        pytest.skip(f"no namespaces here: what a fresh machine sees is not tried: {probe.stderr.strip()}")
    return tmp_path / "tree"


def command_line(tree: Path, command: str) -> list[str | Path]:
    environment = ["/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
    return [*NAMESPACES, INSIDE, tree, "/usr", "--", *environment, "/bin/sh", "-c", command]


def inside(tree: Path, command: str) -> str:
    done = subprocess.run(command_line(tree, command), check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_sees_nothing_but_its_own_and_what_it_is_given(tree: Path) -> None:
    (tree / "own").touch()
    assert set(inside(tree, "ls /").split()) == {path.name for path in tree.iterdir()}
    assert str(tree) not in inside(tree, "cat /proc/self/mountinfo | cut -d' ' -f5")
    processes = inside(tree, "ls /proc").split()
    assert max(int(name) for name in processes if name.isdigit()) < 100


def test_what_it_is_given_is_to_read(tree: Path) -> None:
    assert "Read-only" in inside(tree, "touch /usr/written 2>&1; true")
    assert not Path("/usr/written").exists()


def test_devices_are_those_of_programs(tree: Path) -> None:
    nodes = inside(tree, "ls /dev; echo lost > /dev/null; head -c 1 /dev/zero | wc -c; test -c /dev/ptmx").split()
    assert {"null", "zero", "random", "urandom", "tty", "pts", "shm", "ptmx"} <= set(nodes)
    assert not any(name.startswith(("sd", "vd", "nvme", "loop", "mem")) for name in nodes)


def test_programs_may_make_namespaces_and_mounts_of_their_own(tree: Path) -> None:
    script = "mount --make-rprivate / && mount -t tmpfs tmpfs /tmp && unshare --user --map-root-user id -u"
    assert inside(tree, script) == "0\n"


def test_nothing_is_mounted_here(tree: Path) -> None:
    before = Path("/proc/self/mountinfo").read_text()
    inside(tree, "mount -t tmpfs tmpfs /tmp")
    assert Path("/proc/self/mountinfo").read_text() == before
    assert not list((tree / "dev").iterdir())
    assert not list((tree / "usr").iterdir())


def test_what_it_has_started_ends_with_it(tree: Path) -> None:
    script = f"setsid sleep {MARK} & echo started; wait"
    with subprocess.Popen(command_line(tree, script), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.kill()
    assert any(not sleeping() for _ in Deadline(10).ticks(0.05))


def sleeping() -> list[str]:
    lines = [(folder / "cmdline") for folder in Path("/proc").glob("[0-9]*")]
    return [str(line) for line in lines if os.fsencode(MARK) in _read(line)]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
