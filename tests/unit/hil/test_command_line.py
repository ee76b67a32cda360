"""The QEMU command line, word by word where a word matters."""

import dataclasses
import itertools
import shlex
from pathlib import Path

import pytest

from hybrid_hil.board.command_line import Payload, Wires, command_line_by_hand, qemu_command_line
from hybrid_hil.board.early_firmware import EarlyFirmware
from hybrid_hil.board.layout import IMX8MN, LAYOUTS, ONE_CORE, STM32MP1, TWO_CORES, Layout, layout_named, require_driver
from hybrid_hil.failure import RigError
from hybrid_hil.image import Image

WIRES = Wires(Path("/run/b/console.sock"), Path("/run/b/core.sock"), Path("/run/b/qmp.sock"))


def payload(layout: Layout = TWO_CORES, folder: str = "/image", guest_port: int = 22) -> Payload:
    at = Path(folder)
    return Payload(
        layout=layout,
        monitor=at / "monitor.elf",
        kernel=at / "Image",
        devicetree=at / layout.devicetree,
        trampoline=at / "trampoline.bin",
        disk=at / "rootfs.ext4",
        guest_port=guest_port,
    )


def after(words: list[str], option: str) -> list[str]:
    return [value for word, value in itertools.pairwise(words) if word == option]


def test_the_kernel_is_loaded_never_booted_by_qemu() -> None:
    words = qemu_command_line(payload(), WIRES)
    assert "-kernel" not in words
    assert "-smp" not in words
    assert "loader,file=/image/Image,addr=0x8000000,force-raw=on" in after(words, "-device")
    assert "loader,file=/image/two-cores.dtb,addr=0x7000000,force-raw=on" in after(words, "-device")
    assert "loader,file=/image/monitor.elf,cpu-num=0" in after(words, "-device")


def test_only_firmware_that_starts_at_zero_needs_no_trampoline() -> None:
    trampoline = "loader,file=/image/trampoline.bin,addr=0x0,force-raw=on"
    for layout in (TWO_CORES, IMX8MN, STM32MP1):
        assert trampoline in after(qemu_command_line(payload(layout), WIRES), "-device")
    assert trampoline not in after(qemu_command_line(payload(ONE_CORE), WIRES), "-device")


def test_a_boot_loader_s_firmware_is_in_memory_with_a_note_of_its_table() -> None:
    early = dataclasses.replace(payload(STM32MP1), early=EarlyFirmware(Path("/image/a,b.elf"), 0x180440))
    devices = after(qemu_command_line(early, WIRES), "-device")
    assert "loader,file=/image/a,,b.elf" in devices
    assert "loader,addr=0xfffc1208,data=0x180440,data-len=4" in devices
    assert not any("0xfffc1208" in device for device in after(qemu_command_line(payload(), WIRES), "-device"))


def test_serial_lines_are_linux_then_the_cores() -> None:
    words = qemu_command_line(payload(), WIRES)
    assert after(words, "-serial") == ["chardev:console", "chardev:core-console"]
    assert "socket,id=console,path=/run/b/console.sock" in after(words, "-chardev")
    assert "socket,id=core-console,path=/run/b/core.sock" in after(words, "-chardev")


def test_the_host_port_is_left_to_the_kernel() -> None:
    words = qemu_command_line(payload(guest_port=2222), WIRES)
    assert after(words, "-netdev") == ["user,id=net,hostfwd=tcp:127.0.0.1:0-:2222"]


def test_the_disk_is_never_written() -> None:
    (drive,) = after(qemu_command_line(payload(), WIRES), "-drive")
    assert "snapshot=on" in drive.split(",")


def test_a_comma_in_a_path_is_doubled() -> None:
    words = qemu_command_line(payload(folder="/a,b"), WIRES)
    assert "loader,file=/a,,b/monitor.elf,cpu-num=0" in after(words, "-device")


def test_by_hand_is_the_same_machine_on_a_terminal() -> None:
    words = shlex.split(command_line_by_hand(payload(folder="/with space")))
    assert after(words, "-serial") == ["mon:stdio", "file:core-console.log"]
    machine = qemu_command_line(payload(folder="/with space"), WIRES)
    assert words[: words.index("-serial")] == machine[: machine.index("-chardev")]


def test_any_qemu_will_do() -> None:
    chosen = dataclasses.replace(payload(), qemu="/opt/qemu/qemu-system-aarch64")
    assert qemu_command_line(chosen, WIRES)[0] == "/opt/qemu/qemu-system-aarch64"
    assert shlex.split(command_line_by_hand(chosen))[0] == "/opt/qemu/qemu-system-aarch64"


def test_only_a_debugged_board_is_halted() -> None:
    assert "-S" not in qemu_command_line(payload(), WIRES)
    words = qemu_command_line(payload(), WIRES, Path("/run/b/gdb.sock"))
    assert "-S" in words
    assert after(words, "-gdb") == ["unix:/run/b/gdb.sock,server=on,wait=off"]


def test_layouts_have_one_firmware_folder_and_speaker_per_processor() -> None:
    assert set(LAYOUTS) == {"two-cores", "one-core", "imx8mn", "stm32mp1"}
    for name in LAYOUTS:
        layout = layout_named(name)
        assert len(layout.processors) == len(layout.firmware) == len(layout.speakers)
    with pytest.raises(RigError, match="no layout `three-cores`"):
        layout_named("three-cores")


def image_with(folder: Path, configuration: str) -> Image:
    image = Image(folder, {"kernel_version": "6.1.192"})
    image.configuration.write_text(configuration)
    return image


def test_a_kernel_without_the_driver_of_a_layout_is_refused(tmp_path: Path) -> None:
    image = image_with(tmp_path, "CONFIG_IMX_REMOTEPROC=y\n# CONFIG_XLNX_R5_REMOTEPROC is not set\n")
    require_driver(IMX8MN, image)
    with pytest.raises(RigError) as raised:
        require_driver(TWO_CORES, image)
    assert raised.value.message == (
        "`6.1.192` of this image has no driver for layout `two-cores` (CONFIG_XLNX_R5_REMOTEPROC)"
    )
    assert raised.value.remedy == "choose --layout imx8mn or another image"
    image.configuration.write_text("CONFIG_REMOTEPROC=y\n")
    with pytest.raises(RigError) as raised:
        require_driver(TWO_CORES, image)
    assert raised.value.remedy == "choose another image"


def test_a_kernel_whose_configuration_nobody_knows_is_not_judged(tmp_path: Path) -> None:
    require_driver(TWO_CORES, Image(tmp_path, {}))
