"""Configurations and images that are small until they are read: what they may cost in memory and time."""

import gzip
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hybrid_runtime.image import document
from hybrid_runtime.image.blob import Blob
from hybrid_runtime.image.candidate import MOST_MARKS
from hybrid_runtime.image.document import Documents
from hybrid_runtime.image.index import Layout, LayoutFolder
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import MOST_VALUES
from tests.image_builder import LayoutBuilder, configuration, docker_archive, dump, firmware_layer
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

MIB = 1 << 20
# What create may have at once, its reader of images, and what a supervisor may have more than that of a small bundle.
MOST_OF_CREATE = 40 * MIB
MOST_OF_READER = 96 * MIB
MOST_KEPT = 4 * MIB
# CPU time, so that a busy machine changes little.
MOST_SECONDS = 4.0

# The peak of a process is that of its parent when it was forked: this one is small.
METER = """
import os, sys
pid = os.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, usage = os.wait4(pid, 0)
with open(os.environ["METER"], "w") as target:
    print(usage.ru_maxrss << 10, usage.ru_utime + usage.ru_stime, file=target)
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Cost(NamedTuple):
    """Of create and the process that reads its image: exit code, bytes, seconds of CPU, standard error."""

    code: int
    peak: int
    seconds: float
    stderr: str


def cost_of(command: Command, *args: str | Path) -> Cost:
    result = command.folder / "cost"
    argv = [sys.executable, "-IS", "-c", METER, *command.argv(*args)]
    process = subprocess.run(
        argv,
        env={"METER": str(result)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(command.folder / "stderr").open("wb"),
        check=False,
        timeout=120,
    )
    peak, seconds = result.read_text().split()
    return Cost(process.returncode, int(peak), float(seconds), (command.folder / "stderr").read_text())


def resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"process {pid} has no memory")


def bundle_with(folder: Path, firmware: Path, field: str) -> Path:
    """A bundle whose config.json has one more field, as text."""
    bundle = write_bundle(folder, firmware, annotations=None)
    text = (bundle / "config.json").read_text()
    (bundle / "config.json").write_text(f"{text[:-1]}, {field}}}")
    return bundle


MINIMAL = {"ociVersion": "1.0.2", "root": {"path": "rootfs"}}


def objects(count: int) -> str:
    return '"x": [' + ", ".join(["{}"] * count) + "]"


def annotations(count: int, value: str = "") -> str:
    return '"annotations": {' + ", ".join(f'"{number}": "{value}"' for number in range(count)) + "}"


REFUSED: dict[str, Callable[[], str]] = {
    "16 MiB of objects": lambda: objects(4_000_000),
    "1 MiB of objects": lambda: objects(250_000),
    "a million annotations": lambda: annotations(1_000_000),
    "40 000 annotations": lambda: annotations(40_000),
    "2 MiB of text": lambda: annotations(1, "x" * 2 * MIB),
}
TAKEN: dict[str, Callable[[], str]] = {
    "objects": lambda: objects(MOST_VALUES // 2 - 50),
    "annotations": lambda: annotations(MOST_VALUES - 50, "x" * 12),
    "text": lambda: annotations(1, "x" * 1_000_000 + "\N{GRINNING FACE}"),
    "hooks": lambda: '"hooks": {"poststop": [' + ", ".join(['{"path": "/x"}'] * 8000) + "]}",
    "environment": lambda: '"process": {"args": ["/fw.elf"], "env": [' + ", ".join(['"A=b"'] * 30_000) + "]}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_configuration_that_is_too_large_is_refused(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path, name: str
) -> None:
    cost = cost_of(command, "create", "-b", bundle_with(tmp_path / "bundle", firmware, REFUSED[name]()), "motor")
    assert cost.code == 1
    assert (
        "config.json` is larger than 1048576 bytes" in cost.stderr or f"more than {MOST_VALUES} values" in cost.stderr
    )
    assert cost.peak < MOST_OF_CREATE
    assert cost.seconds < MOST_SECONDS
    assert double.leftovers() == []
    assert core.boots == []


@pytest.mark.parametrize("name", TAKEN)
def test_the_largest_configurations_leave_a_small_supervisor(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, name: str
) -> None:
    sizes = []
    for number, field in enumerate(('"x": 0', TAKEN[name]())):
        bundle = bundle_with(tmp_path / f"bundle{number}", firmware, field)
        cost = cost_of(command, "create", "-b", bundle, "motor")
        assert cost.code == 0, cost.stderr
        assert cost.peak < MOST_OF_CREATE
        assert cost.seconds < MOST_SECONDS
        command.run("start", "motor")
        assert core.state == "running"
        sizes.append(resident(command.record("motor")["pid"]))
        # There is nothing to run as a poststop hook, which is told and no more.
        command.run("kill", "motor", "KILL")
        command.reap()
        (command.double.root / "motor/config.json").write_text(json.dumps(MINIMAL))
        command.run("delete", "motor")
    assert sizes[1] - sizes[0] < MOST_KEPT


def test_foreign_annotations_are_in_the_state_and_not_in_the_record(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    given = {"vendor.note": "kept", "remoteproc.recovery": "kernel"}
    command.run("create", "-b", write_bundle(tmp_path / "bundle", firmware, annotations=given), "motor")
    (tmp_path / "bundle/config.json").write_text("{}")
    own = {"remoteproc.recovery": "kernel"}
    for status in ("created", "running"):
        assert command.record("motor")["annotations"] == own
        state = command.state("motor")
        assert state["status"] == status
        assert {key: state["annotations"][key] for key in given} == given
        [listed] = json.loads(command.run("list", "-f", "json").stdout)
        assert {key: listed["annotations"][key] for key in given} == given
        command.run("start", "motor", code=None)
    assert core.state == "running"
    # A container of an earlier version has them all in its record.
    (command.double.root / "motor/config.json").unlink()
    state = command.state("motor")
    assert state["annotations"]["remoteproc.recovery"] == "kernel"
    assert "vendor.note" not in state["annotations"]


def test_annotations_of_the_command_line_are_in_the_state(
    command: Command, core: ProcessorDouble, firmware: Path
) -> None:
    command.create(firmware, "motor", annotations={"vendor.note": "kept", "remoteproc.recovery": "kernel"})
    assert command.state("motor")["annotations"].items() >= {"vendor.note": "kept"}.items()
    assert command.record("motor")["annotations"] == {"remoteproc.recovery": "kernel"}
    assert core.boots == []


# Images


def listed_often(builder: LayoutBuilder, image: dict[str, Any], *, count: int = 255) -> LayoutBuilder:
    """As for so many boards, none of which is this one."""
    entries = [image | {"annotations": {"board": f"board {number}"}} for number in range(count)]
    return builder.add(builder.index(*entries))


def with_configuration(builder: LayoutBuilder, extra: dict[str, object], **config: object) -> dict[str, Any]:
    layer = firmware_layer()
    return builder.image(layer, config=configuration([layer], **config) | extra)


def many_values(builder: LayoutBuilder) -> LayoutBuilder:
    return listed_often(builder, with_configuration(builder, {"junk": [{}] * 1_000_000}))


def one_long_text(builder: LayoutBuilder) -> LayoutBuilder:
    return listed_often(builder, with_configuration(builder, {"junk": "x" * 4_000_000}))


def labels_and_environment(builder: LayoutBuilder) -> LayoutBuilder:
    labels, environment = {str(number): "" for number in range(15_000)}, ["A=b"] * 15_000
    return listed_often(builder, with_configuration(builder, {}, Labels=labels, Env=environment))


def manifest_annotations(builder: LayoutBuilder) -> LayoutBuilder:
    return listed_often(builder, builder.image(annotations={str(number): "" for number in range(30_000)}))


def nested_indexes(builder: LayoutBuilder) -> LayoutBuilder:
    annotated = {str(number): "" for number in range(30_000)} | {"board": "another"}
    inner = builder.index(builder.image() | {"annotations": annotated})
    return builder.add(builder.index(*[inner] * 120))


def many_configurations(builder: LayoutBuilder) -> LayoutBuilder:
    images = [with_configuration(builder, {"junk": f"{number}{'x' * 200_000}"}) for number in range(120)]
    return builder.add(builder.index(*images))


def many_marks(builder: LayoutBuilder) -> LayoutBuilder:
    return builder.add(builder.image(annotations={f"remoteproc.{number}": "" for number in range(MOST_MARKS + 1)}))


BOMBS: dict[Callable[[LayoutBuilder], LayoutBuilder], str] = {
    many_values: f"more than {MOST_VALUES} values",
    one_long_text: "no image is for this board",
    labels_and_environment: "no image is for this board",
    manifest_annotations: "no image is for this board",
    nested_indexes: "no image is for this board",
    many_configurations: "the documents of the image have more than 16777216 bytes together",
    many_marks: f"the manifest has {MOST_MARKS + 1} annotations for this runtime",
}


@pytest.mark.parametrize("bomb", BOMBS, ids=lambda bomb: str(bomb.__name__))
def test_a_bomb_of_documents_is_refused(
    *,
    command: Command,
    core: ProcessorDouble,
    double: RemoteprocDouble,
    tmp_path: Path,
    bomb: Callable[[LayoutBuilder], LayoutBuilder],
) -> None:
    archive = bomb(LayoutBuilder()).archive(tmp_path / "image.tar")
    packed = tmp_path / "image.tar.gz"
    packed.write_bytes(gzip.compress(archive.read_bytes(), compresslevel=1))
    begun = time.monotonic()
    cost = cost_of(command, "create", packed, "motor")
    assert time.monotonic() - begun < 60
    assert cost.code == 1
    assert BOMBS[bomb] in cost.stderr
    assert cost.peak < MOST_OF_READER
    assert cost.seconds < MOST_SECONDS
    assert double.leftovers() == []
    assert core.boots == []


def test_a_docker_archive_that_names_one_configuration_often(
    command: Command, core: ProcessorDouble, tmp_path: Path
) -> None:
    layer = firmware_layer()
    labels = {str(number): "" for number in range(15_000)} | {"board": "another"}
    plain = docker_archive([layer], None, Labels=labels, Env=["A=b"] * 15_000)
    entry = plain[plain.index(b'[{"Config"') + 1 : plain.index(b"}]") + 1]
    archive = LayoutBuilder()
    archive.files = {}
    archive.files["manifest.json"] = b"[" + b", ".join([entry] * 255) + b"]"
    described = json.loads(entry)
    archive.files[described["Config"]] = dump(configuration([layer], Labels=labels, Env=["A=b"] * 15_000))
    archive.files[described["Layers"][0]] = layer
    image = archive.archive(tmp_path / "image.tar")
    cost = cost_of(command, "create", f"docker-archive:{image}", "motor")
    assert "no image is for this board" in cost.stderr
    assert cost.peak < MOST_OF_READER
    assert cost.seconds < MOST_SECONDS
    assert core.boots == []


def test_a_document_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    read = Blob.read

    def counted(blob: Blob, largest: int) -> bytes:
        reads.append(blob.what)
        return read(blob, largest)

    monkeypatch.setattr(Blob, "read", counted)
    builder = LayoutBuilder()
    listed_often(builder, builder.image())
    layout = Layout(LayoutFolder(str(builder.write(tmp_path / "layout"))), "")
    assert [candidate.board for candidate in layout.candidates] == [f"board {number}" for number in range(255)]
    assert sorted(reads) == ["image's configuration", "index", "index", "layout's version", "manifest"]


def test_a_document_of_another_size_or_type_is_no_known_one(tmp_path: Path) -> None:
    builder = LayoutBuilder()
    image = builder.image()
    for change, words in (({"size": image["size"] + 1}, "bytes, not"), ({"mediaType": DOCKER_MANIFEST}, "says it is")):
        builder.tops = []
        builder.add(builder.index(image, image | change))
        folder = builder.write(tmp_path / words.replace(" ", "-"))
        with pytest.raises(Failure, match=words):
            Layout(LayoutFolder(str(folder)), "")


DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def test_the_budget_counts_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MOST_DOCUMENT_BYTES", 100)
    for name in ("a", "b"):
        (tmp_path / name).write_text('{"a": "%s"}' % ("x" * 60))
    files = LayoutFolder(str(tmp_path))
    documents = Documents()
    for _ in range(10):
        assert documents.once(Blob(files, "a", "document"), "", lambda values: values) == {"a": "x" * 60}
    with pytest.raises(Failure, match="more than 100 bytes together"):
        documents.read(Blob(files, "b", "document"))


def test_the_reader_is_the_first_to_go_and_cannot_take_all_memory(
    command: Command, core: ProcessorDouble, tmp_path: Path
) -> None:
    """A large layer keeps it busy for a while."""
    layer = firmware_layer(content=bytes(200 * MIB))
    builder = LayoutBuilder()
    builder.add(builder.image(layer, packed=False))
    folder = builder.write(tmp_path / "layout")
    process, _ = command.spawn("create", folder, "motor")

    def limits() -> tuple[str, str] | None:
        for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            try:
                lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
                score = Path(f"/proc/{pid}/oom_score_adj").read_text().strip()
            except (FileNotFoundError, ProcessLookupError):
                continue
            return next(line.split()[3] for line in lines if line.startswith("Max address space")), score
        return None

    eventually(lambda: limits() == (str(256 * MIB), "1000"))
    process.kill()
    process.wait()
    assert core.boots == []
