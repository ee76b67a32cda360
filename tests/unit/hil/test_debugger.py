"""What a person is told to type for gdb."""

import shlex
from pathlib import Path

import pytest

from hybrid_hil.board.layout import ONE_CORE, TWO_CORES
from hybrid_hil.command.debugger import attach_to_all, attach_to_linux, instructions
from hybrid_hil.failure import RigError

SOCKET = Path("/run/b/gdb.sock")


def platform_with(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / "firmware" / name
        file.parent.mkdir(parents=True)
        file.touch()
    return folder


def test_commands_survive_a_shell(tmp_path: Path) -> None:
    platform = platform_with(tmp_path / "with space", "core0/hello.elf", "lockstep/hello.elf")
    shown = instructions(SOCKET, TWO_CORES, platform)
    commands = [shlex.split(line.partition(":")[2]) for line in shown.splitlines() if "gdb-multiarch -ex" in line]
    hello = platform / "firmware/core0/hello.elf"
    assert commands == [attach_to_linux(SOCKET), attach_to_all(SOCKET, hello)]
    assert f"file {hello}" in commands[1]
    assert str(platform / "firmware/lockstep/hello.elf") in instructions(SOCKET, ONE_CORE, platform)


def test_an_image_without_that_firmware_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="no firmware `hello`"):
        instructions(SOCKET, TWO_CORES, tmp_path)
