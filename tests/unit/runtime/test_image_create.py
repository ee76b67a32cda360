"""`create IMAGE` as it is called: what comes of it, what is left of it when it ends early."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.elf_builder import build_elf
from tests.image_builder import LayoutBuilder, configuration, firmware_layer, member, podman_archive, tar
from tests.unit.runtime.command_runner import PATIENCE_SECONDS, Command, Outcome, eventually
from tests.unit.runtime.file_modes import not_private
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

pytestmark = pytest.mark.usefixtures("core")

UMASK = 'umask 0; exec "$@"'


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    builder = LayoutBuilder()
    layer = firmware_layer("motor.elf")
    builder.add(builder.image(layer, config=configuration([layer], Cmd=["/motor.elf"])))
    return builder.write(tmp_path / "layout")


def test_the_whole_life(command: Command, core: ProcessorDouble, double: RemoteprocDouble, layout: Path) -> None:
    command.run("create", "--annotation", "remoteproc.recovery=kernel", f"oci:{layout}", "motor")
    state = command.state("motor")
    assert (state["status"], state["bundle"]) == ("created", f"{double.root}/motor/bundle")
    assert state["annotations"]["remoteproc.recovery"] == "kernel"
    [installed] = double.installed()
    assert installed.startswith("motor.elf-")
    assert (double.firmware_folder / installed).read_bytes() == build_elf()
    # /run is memory, and the firmware is installed.
    assert sorted(path.name for path in (double.root / "motor/bundle").iterdir()) == ["config.json"]
    command.run("start", "motor")
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    assert double.leftovers() == []


def test_no_umask(command: Command, double: RemoteprocDouble, layout: Path) -> None:
    """Nor do files that are taken out of an image follow the caller's."""
    process, outcome = command.spawn("create", f"oci:{layout}", "motor", prefix=("/bin/sh", "-c", UMASK, "sh"))
    assert process.wait(PATIENCE_SECONDS) == 0, outcome
    assert (double.root / "motor/bundle/config.json").is_file()
    assert not_private(double.root) == not_private(double.claims) == {}


def test_relative_paths(command: Command, double: RemoteprocDouble, layout: Path, tmp_path: Path) -> None:
    for image in ("layout", "oci:layout", "./layout"):
        command.run("create", image, "motor", cwd=tmp_path)
        command.run("delete", "motor")
    assert layout.is_dir()
    assert double.leftovers() == []


def test_firmware_files_of_every_kind(
    command: Command, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    colon = tmp_path / "v1:motor.elf"
    colon.write_bytes(firmware.read_bytes())
    raw = tmp_path / "raw.bin"
    raw.write_bytes(b"raw firmware of some length")
    as_tar = tmp_path / "as.tar"
    as_tar.write_bytes(tar(member("x", b"x")))
    raw_format = ("--annotation", "remoteproc.format=raw")
    for words in ([firmware], [f"file:{firmware}"], [colon], [*raw_format, raw], [*raw_format, f"file:{as_tar}"]):
        command.run("create", *words, "motor")
        command.run("delete", "motor")
    assert "the firmware is not an ELF file" in command.run("create", raw, "motor", code=1).stderr
    assert "is not a firmware file" in command.run("create", f"file:{tmp_path}", "motor", code=1).stderr
    assert double.leftovers() == []


@pytest.mark.parametrize(
    "image",
    [
        "--",
        "-x",
        "no such",
        "oci:/no/such",
        "oci:/etc/passwd",
        "oci-archive:/etc/passwd",
        "docker-archive:/dev/zero",
        "/",
        "oci:",
    ],
)
def test_what_is_no_image(command: Command, double: RemoteprocDouble, image: str) -> None:
    outcome = command.run("create", "--", image, "motor", code=1)
    assert len(outcome.stderr.splitlines()) == 1
    assert double.leftovers() == []


def test_the_image_s_own_wishes_are_checked(command: Command, double: RemoteprocDouble, tmp_path: Path) -> None:
    double.add("core1")
    path = tmp_path / "image.tar"
    path.write_bytes(podman_archive(firmware_layer(), "motor:v1", Env=["REMOTEPROC_NAME=core1"]))
    command.run("create", path, "motor")
    assert command.record("motor")["processor"] == "core1"
    assert "held by container `motor`" in command.run("create", path, "second", code=1).stderr
    command.run("delete", "motor")
    builder = LayoutBuilder()
    builder.add(builder.image(annotations={"remoteproc.recovry": "kernel"}))
    outcome = command.run("create", "--processor", "core1", builder.archive(path), "motor", code=1)
    assert "annotation `remoteproc.recovry` is not known" in outcome.stderr
    assert double.leftovers() == []


def test_the_mcu_is_the_processor(command: Command, double: RemoteprocDouble, tmp_path: Path) -> None:
    double.add("core1")
    builder = LayoutBuilder()
    builder.add(*(builder.labelled(build_elf(wide=wide), mcu=mcu) for mcu, wide in (("core1", True), ("m7", False))))
    image = builder.write(tmp_path / "layout")
    command.run("create", image, "motor")
    assert command.record("motor")["processor"] == "core1"
    [installed] = double.installed()
    assert (double.firmware_folder / installed).read_bytes() == build_elf(wide=True)
    command.run("delete", "motor")
    outcome = command.run("--processor", "core0", "create", image, "motor", code=1)
    assert "is for the mcu `core1`, not for `core0` (option --processor)" in outcome.stderr
    assert double.leftovers() == []


def test_the_supervisor_is_as_small_as_ever(
    command: Command, double: RemoteprocDouble, firmware: Path, layout: Path
) -> None:
    sizes = {}
    for image in (firmware, layout):
        command.run("create", image, "motor")
        pid = command.record("motor")["pid"]
        targets = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
        assert [target for target in targets if "layout" in target or "deleted" in target] == []
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        sizes[image] = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_Dirty"))
        command.run("delete", "motor")
    assert sizes[layout] < sizes[firmware] + 300, sizes
    assert double.leftovers() == []


def test_a_plain_firmware_loads_nothing_of_this(command: Command, firmware: Path, layout: Path) -> None:
    def loaded(image: Path, identifier: str) -> str:
        words = command.argv("create", image, identifier)
        process = subprocess.run(
            ["/usr/bin/python3", "-ISX", "importtime", *words], capture_output=True, text=True, check=True
        )
        command.run("delete", identifier)
        return process.stderr

    assert "hybrid_runtime.image" not in loaded(firmware, "a")
    # The fork's imports are told as well.
    assert "tarfile" in loaded(layout, "b")


Slow = Callable[..., tuple["subprocess.Popen[bytes]", Outcome]]


@pytest.fixture
def slow_create(command: Command, double: RemoteprocDouble, tmp_path: Path) -> Iterator[Slow]:
    """create, at the moment when a double of podman hangs with an archive half written."""
    program = tmp_path / "bin/podman"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho $$ > {tmp_path}/pid\necho half | tee "$TMPDIR/half"\nexec sleep 600\n')
    program.chmod(0o755)

    def spawn() -> tuple["subprocess.Popen[bytes]", Outcome]:
        made = command.spawn(
            *("create", "containers-storage:motor", "motor"),
            prefix=("/usr/bin/env", f"PATH={tmp_path}/bin:/usr/bin:/bin"),
        )
        eventually(lambda: (double.root / "motor/half").is_file() and (tmp_path / "pid").read_text().strip())
        return made

    yield spawn
    assert (double.sysroot / "var/tmp").is_dir() is False


def engine_is_gone(tmp_path: Path) -> bool:
    path = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    try:
        return path.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_interrupted(slow_create: Slow, double: RemoteprocDouble, tmp_path: Path, number: signal.Signals) -> None:
    process, outcome = slow_create()
    begun = time.monotonic()
    process.send_signal(number)
    assert process.wait(10) == 130
    assert time.monotonic() - begun < 5
    assert outcome.stderr == ""
    eventually(lambda: engine_is_gone(tmp_path))
    assert double.leftovers() == []


def test_killed(slow_create: Slow, command: Command, double: RemoteprocDouble, tmp_path: Path, layout: Path) -> None:
    process, _ = slow_create()
    process.kill()
    process.wait(10)
    eventually(lambda: engine_is_gone(tmp_path))
    # The id is free, and the next create clears up.
    command.run("create", layout, "motor")
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_deleted_while_it_is_created(
    slow_create: Slow, command: Command, double: RemoteprocDouble, tmp_path: Path
) -> None:
    process, _ = slow_create()
    assert command.status("motor") == "creating"
    command.run("delete", "--force", "motor")
    assert process.wait(10) != 0
    eventually(lambda: engine_is_gone(tmp_path))
    assert double.leftovers() == []


def test_a_reader_that_dies(slow_create: Slow, double: RemoteprocDouble, tmp_path: Path) -> None:
    process, outcome = slow_create()
    engine = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat").read_text()
    os.kill(int(engine.rpartition(")")[2].split()[1]), signal.SIGKILL)
    assert process.wait(10) == 1
    assert "the process that reads the image died" in outcome.stderr
    eventually(lambda: engine_is_gone(tmp_path))
    assert double.leftovers() == []


def test_a_full_disk(command: Command, double: RemoteprocDouble, layout: Path) -> None:
    builder = LayoutBuilder()
    builder.add(builder.image(firmware_layer(content=build_elf() + bytes(100_000))))
    builder.write(layout)
    limited = ("/usr/bin/env", sys.executable, "-c", LIMITED)
    process, outcome = command.spawn("create", layout, "motor", prefix=limited)
    assert process.wait(20) == 1
    assert "cannot read the image: file too large" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1
    assert double.leftovers() == []


# No file may grow beyond 20000 bytes: enough for a record, not for a firmware.
LIMITED = """
import os, resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
os.execv(sys.argv[1], sys.argv[1:])
"""
