"""What a command on a fresh machine sees of this one, and that nothing of it stays; the machine has this one's /usr."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.host.checkout import checkout_root
from tests.fresh.fresh_machine import INSIDE, NAMESPACES, time_limit

MARK = "9876543"
# The command line of the process, and of none that was asked to start it.
SLEEPING = f"sleep\0{MARK}\0".encode()


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


def test_what_it_has_started_ends_with_the_run(tree: Path, tmp_path: Path) -> None:
    """Of a run that is killed: nobody is left to end the machine."""
    command = [*time_limit(600), *map(str, command_line(tree, f"sleep {MARK} & wait"))]
    lines = f"""
from pathlib import Path
from hybrid_hil.image.child import BuildRunner
BuildRunner(Path({str(tmp_path / "log")!r})).run({command!r})
"""
    here = {**os.environ, "PYTHONPATH": str(checkout_root() / "hil")}
    with subprocess.Popen([sys.executable, "-c", lines], env=here) as run:
        assert any(sleeping() for _ in Deadline(30).ticks(0.05))
        run.kill()
    assert any(not sleeping() for _ in Deadline(10).ticks(0.05))


def sleeping() -> list[str]:
    lines = [(folder / "cmdline") for folder in Path("/proc").glob("[0-9]*")]
    return [str(line) for line in lines if _read(line) == SLEEPING]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
