"""Where the modules of a deployed runtime come from: byte code made for it, else its sources; never a write."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.runtime.command_runner import Command, interpreter_of
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


@pytest.fixture
def own(command: Command, double: RemoteprocDouble, tmp_path: Path) -> Command:
    """With a deployed runtime of this test's own."""
    shutil.copytree(command.launcher.parents[1], tmp_path / "own")
    return Command(tmp_path / "own/bin/hybrid-runtime", double, tmp_path)


def package_of(command: Command) -> Path:
    return command.launcher.parents[1] / "hybrid_runtime"


def sources(command: Command) -> list[Path]:
    return sorted(package_of(command).rglob("*.py"))


def poison(source: Path) -> None:
    """Whoever compiles it fails. Its time and its size stay."""
    found = source.stat()
    source.write_text("1/0".ljust(found.st_size, "#"))
    os.utime(source, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert source.stat().st_size == found.st_size


def facts(folder: Path) -> dict[str, tuple[int, int]]:
    """What any write changes, also that of a temporary file."""
    paths = [folder, *folder.rglob("*")]
    return {str(path): (path.lstat().st_ino, path.lstat().st_mtime_ns) for path in paths}


def compile_all(command: Command, mode: str) -> None:
    argv = [interpreter_of(command.launcher), "-IS", "-m", "compileall", "-q", "-f", "--invalidation-mode", mode]
    subprocess.run([*argv, str(package_of(command))], check=True)


def cycle(command: Command, firmware: Path) -> None:
    """Every verb that engines wait for."""
    command.create(firmware, "motor")
    command.run("start", "motor")
    assert command.status("motor") == "running"
    command.run("kill", "motor", "KILL")
    command.run("delete", "motor")


def test_no_source_is_compiled_and_nothing_written(own: Command, double: RemoteprocDouble, firmware: Path) -> None:
    """Nothing of a source is looked at but its time and its size."""
    double.add("core0")
    for source in sources(own):
        poison(source)
    before = facts(own.launcher.parents[1])
    cycle(own, firmware)
    assert own.run("--version").stdout.startswith("hybrid-runtime version ")
    assert facts(own.launcher.parents[1]) == before


def test_sources_serve_where_there_is_no_byte_code(own: Command, double: RemoteprocDouble, firmware: Path) -> None:
    double.add("core0")
    for folder in list(package_of(own).rglob("__pycache__")):
        shutil.rmtree(folder)
    before = facts(own.launcher.parents[1])
    cycle(own, firmware)
    assert facts(own.launcher.parents[1]) == before


@pytest.mark.parametrize("mode", ["timestamp", "checked-hash"])
def test_a_source_that_was_changed_is_seen(own: Command, mode: str) -> None:
    compile_all(own, mode)
    own.run("--version")
    (package_of(own) / "__init__.py").write_text('VERSION = "changed"\nSPEC_VERSION = "0"\n')
    version = package_of(own) / "command/version.py"
    version.write_text(version.read_text().replace("spec: ", "changed too: "))
    assert own.run("--version").stdout.splitlines()[::2] == ["hybrid-runtime version changed", "changed too: 0"]


@pytest.mark.parametrize("seconds", [-(1 << 31), -3600, 3600, 1 << 31])
def test_a_change_that_keeps_the_size_is_seen(own: Command, seconds: int) -> None:
    """By its time, earlier or later: files of a package have the time of the day they were packed."""
    version = package_of(own) / "command/version.py"
    found = version.stat()
    version.write_text(version.read_text().replace("spec: ", "SPEC: "))
    os.utime(version, (found.st_atime, found.st_mtime + seconds))
    assert version.stat().st_size == found.st_size
    assert "\nSPEC: " in own.run("--version").stdout


def test_a_source_that_has_gone_takes_its_byte_code_with_it(own: Command) -> None:
    (package_of(own) / "command/version.py").unlink()
    process, outcome = own.spawn("--version")
    assert process.wait() != 0
    assert "No module named 'hybrid_runtime.command.version'" in outcome.stderr


def test_byte_code_of_another_kind_serves_as_well(own: Command, core: ProcessorDouble, firmware: Path) -> None:
    """As Python's own finder takes it."""
    compile_all(own, "unchecked-hash")
    for source in sources(own):
        poison(source)
    cycle(own, firmware)
    assert core.state == "offline"


@pytest.mark.parametrize("damage", ["another interpreter's", "empty", "a folder", "too long"])
def test_byte_code_that_is_none(own: Command, damage: str) -> None:
    """One module at a time: those around it are found as ever."""
    (found,) = (package_of(own) / "command/__pycache__").glob("version.*.pyc")
    if damage == "another interpreter's":
        found.rename(found.with_name("version.cpython-399.pyc"))
    elif damage == "empty":
        found.write_bytes(b"")
    elif damage == "a folder":
        found.unlink()
        found.mkdir()
    else:
        # The usual finder reads it, and what follows the code is nothing to it.
        found.write_bytes(found.read_bytes().ljust(1 << 17, b"\0"))
    assert own.run("--version").stdout.startswith("hybrid-runtime version ")


TRUNCATED = ["__init__", "byte_code", "command/line", "command/version", "system/__init__", "system/path"]


def test_byte_code_that_is_cut_short(own: Command) -> None:
    """By a full disk or a power failure: the source is taken, and nothing is written."""
    before = sorted(package_of(own).rglob("*"))
    for module in TRUNCATED:
        folder, _, name = f"{package_of(own)}/{module}".rpartition("/")
        (found,) = Path(folder, "__pycache__").glob(f"{name}.*.pyc")
        whole = found.read_bytes()
        for left in (0, 7, 16, 17, 200, len(whole) - 1):
            found.write_bytes(whole[:left])
            outcome = own.run("--version")
            assert outcome.stdout.startswith("hybrid-runtime version "), (module, left)
            assert outcome.stderr == "", (module, left)
        found.write_bytes(whole)
    assert sorted(package_of(own).rglob("*")) == before


def test_a_life_on_sources(own: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path) -> None:
    for found in package_of(own).rglob("*.pyc"):
        found.write_bytes(found.read_bytes()[:-1])
    pid = own.create(firmware, "motor")
    own.run("start", "motor")
    assert own.status("motor") == "running"
    own.run("kill", "motor")
    assert own.exit_code(pid) == 0
    own.run("delete", "motor")
    assert double.leftovers() == []
    assert core.state == "offline"


def test_launcher_is_found_through_links(own: Command, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/runc").symlink_to("../second")
    (tmp_path / "second").symlink_to(own.launcher)
    process = subprocess.run(
        ["bin/runc", "--version"], cwd=tmp_path, env={}, capture_output=True, text=True, check=True
    )
    assert process.stdout == own.run("--version").stdout


def test_tracebacks_show_sources(own: Command) -> None:
    """A defect in the field is reported with what its line says."""
    version = package_of(own) / "command/version.py"
    version.write_text(version.read_text().replace("def version_text", "1 / 0\n\n\ndef version_text"))
    compile_all(own, "timestamp")
    process, outcome = own.spawn("--version")
    assert process.wait() == 1
    assert "    1 / 0" in outcome.stderr
    assert str(version) in outcome.stderr
