"""Which processor is meant, and whether it may be taken."""

import posix
from pathlib import Path

import pytest

from hybrid_runtime.bundle.annotations import check_annotations
from hybrid_runtime.processor.choice import ProcessorSelector, choose, require_free
from hybrid_runtime.processor.remoteproc import Remoteproc, processors
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

NAME = {"remoteproc.name": "b"}
DEVICE = {"remoteproc.device": "remoteproc2"}
ENVIRONMENT = ["PATH=/bin", "REMOTEPROC_NAME=c"]
POD = {"io.kubernetes.cri.container-type": "container"}


@pytest.fixture
def system(tmp_path: Path) -> SystemPaths:
    """Three processors; the thread of the double is not needed."""
    double = RemoteprocDouble(tmp_path / "machine")
    for name in ("a", "b", "c"):
        double.add(name)
    return SystemPaths(str(double.sysroot))


@pytest.mark.parametrize(
    ("selector", "device"),
    [
        (ProcessorSelector(NAME, ENVIRONMENT, "a"), "remoteproc1"),
        (ProcessorSelector(NAME | {"remoteproc.device": "remoteproc1"}, ENVIRONMENT, "a"), "remoteproc1"),
        (ProcessorSelector(DEVICE, ["REMOTEPROC_NAME=b"], "a"), "remoteproc2"),
        (ProcessorSelector({}, ENVIRONMENT, "a"), "remoteproc2"),
        (ProcessorSelector({}, ["REMOTEPROC_NAME=a", "REMOTEPROC_NAME=b"], ""), "remoteproc1"),
        (ProcessorSelector({}, ["REMOTEPROC_NAMES=b", "REMOTEPROC_NAME"], "a"), "remoteproc0"),
    ],
)
def test_order_of_wishes(system: SystemPaths, selector: ProcessorSelector, device: str) -> None:
    assert choose(system, selector).device == device


ALLOCATED = {"remoteproc.allocated": "b"}
ALLOCATED_ENVIRONMENT = ["REMOTEPROC_ALLOCATED=b"]


@pytest.mark.parametrize(
    ("selector", "device"),
    [
        (ProcessorSelector(ALLOCATED, [], ""), "remoteproc1"),
        (ProcessorSelector({}, ALLOCATED_ENVIRONMENT, ""), "remoteproc1"),
        (ProcessorSelector({}, ["REMOTEPROC_ALLOCATED=remoteproc2"], ""), "remoteproc2"),
        (ProcessorSelector({"remoteproc.allocated": "remoteproc1"}, ALLOCATED_ENVIRONMENT, ""), "remoteproc1"),
        (ProcessorSelector(ALLOCATED | NAME, ["REMOTEPROC_NAME=b", "REMOTEPROC_MCU=b"], "b"), "remoteproc1"),
        (ProcessorSelector({}, ["REMOTEPROC_MCU=c"], ""), "remoteproc2"),
        (ProcessorSelector({}, ["REMOTEPROC_MCU=c"], "c"), "remoteproc2"),
    ],
)
def test_an_allocation_and_a_mark(system: SystemPaths, selector: ProcessorSelector, device: str) -> None:
    assert choose(system, selector).device == device


@pytest.mark.parametrize(
    ("annotations", "environment", "option", "says"),
    [
        ({"remoteproc.name": "a"}, ALLOCATED_ENVIRONMENT, "", "`a` (annotation remoteproc.name) names another one"),
        (ALLOCATED | DEVICE, [], "", "`remoteproc2` (annotation remoteproc.device) names another one"),
        (ALLOCATED, ["REMOTEPROC_NAME=c"], "", "`c` (environment REMOTEPROC_NAME) names another one"),
        (ALLOCATED, [], "a", "`a` (option --processor) names another one"),
        (ALLOCATED, ["REMOTEPROC_MCU=a"], "", "`a` (environment REMOTEPROC_MCU) names another one"),
        (NAME, ["REMOTEPROC_MCU=a"], "", "`a` (environment REMOTEPROC_MCU) names another one"),
        ({"org.hybrid-runtime.mcu": "a"}, [], "b", "`a` (annotation org.hybrid-runtime.mcu) names another one"),
        ({}, ["REMOTEPROC_MCU=a"], "b", "`a` (environment REMOTEPROC_MCU) names another one"),
        (
            *({"remoteproc.allocated": "a"}, ALLOCATED_ENVIRONMENT, ""),
            "no processor `a` (annotation remoteproc.allocated) that is `b` (environment REMOTEPROC_ALLOCATED)",
        ),
        ({}, ["REMOTEPROC_ALLOCATED="], "a", "environment REMOTEPROC_ALLOCATED is empty"),
    ],
)
def test_nothing_leads_away_from_an_allocation_or_a_mark(
    system: SystemPaths, annotations: dict[str, str], environment: list[str], option: str, says: str
) -> None:
    with pytest.raises(Failure) as raised:
        choose(system, ProcessorSelector(annotations, environment, option))
    assert says in raised.value.message


def test_firmware_for_another_board(command: Command, double: RemoteprocDouble, firmware: Path, tmp_path: Path) -> None:
    """A label would not have come this far: engines hand on ENV alone."""
    double.add("a")
    tree = double.sysroot / "proc/device-tree"
    tree.mkdir(parents=True)
    (tree / "compatible").write_bytes(b"acme,gateway\0acme,base\0")
    for board, code in (("acme,base", 0), ("acme,sensor", 1)):
        process = {"cwd": "/", "args": ["/fw.elf"], "env": [f"REMOTEPROC_BOARD={board}"]}
        bundle = write_bundle(tmp_path / board, firmware, process=process)
        told = command.run("create", "--bundle", bundle, "motor", code=code)
        assert (
            "by its environment REMOTEPROC_BOARD the firmware is for the board `acme,sensor`" in told.stderr
        ) == bool(code)
        command.run("delete", "--force", "motor")
    marks = {"org.hybrid-runtime.board": "acme,sensor"}
    bundle = write_bundle(tmp_path / "annotated", firmware, annotations=marks)
    refused = command.run("create", "--bundle", bundle, "motor", code=1).stderr
    assert "by its annotation org.hybrid-runtime.board the firmware is for the board `acme,sensor`" in refused


@pytest.mark.parametrize(
    ("settings", "annotations", "environment", "says"),
    [
        ('{"require-allocation": true}', POD, [], "no processor was allocated to this pod"),
        ('{"require-allocation": true}', POD, ["REMOTEPROC_ALLOCATED=a"], ""),
        ('{"require-allocation": true}', {}, [], ""),
        ('{"require-allocation": false}', POD, [], ""),
        ("{}", POD, [], ""),
        ('{"require-allocation": 1}', POD, [], "require-allocation is `1` (it may be true or false)"),
        ('{"require-alocation": true}', POD, [], "`require-alocation` is not known"),
    ],
)
def test_pods_without_an_allocation(
    command: Command,
    double: RemoteprocDouble,
    firmware: Path,
    tmp_path: Path,
    settings: str,
    annotations: dict[str, str],
    environment: list[str],
    says: str,
) -> None:
    double.add("a")
    path = double.sysroot / "etc/hybrid-runtime/config.json"
    path.parent.mkdir(parents=True)
    path.write_text(settings)
    process = {"cwd": "/", "args": ["/fw.elf"], "env": environment}
    bundle = write_bundle(tmp_path / "bundle", firmware, process=process, annotations=annotations)
    assert says in command.run("create", "--bundle", bundle, "motor", code=1 if says else 0).stderr
    command.run("delete", "--force", "motor")
    assert double.leftovers() == []


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        (ProcessorSelector({"remoteproc.name": "x"}, [], ""), "no processor `x` (annotation remoteproc.name)"),
        (ProcessorSelector({"remoteproc.device": "b"}, [], ""), "no processor `b` (annotation remoteproc.device)"),
        (ProcessorSelector({}, ["REMOTEPROC_NAME=x"], ""), "no processor `x` (environment REMOTEPROC_NAME)"),
        (ProcessorSelector({}, [], "x"), "no processor `x` (option --processor)"),
        (ProcessorSelector({}, [], ""), "this board has 3 processors and none is named"),
        (
            ProcessorSelector(NAME | DEVICE, [], ""),
            "no processor `b` (annotation remoteproc.name) that is `remoteproc2` (annotation remoteproc.device) (",
        ),
    ],
)
def test_no_single_match_lists_what_exists(system: SystemPaths, selector: ProcessorSelector, text: str) -> None:
    with pytest.raises(Failure) as raised:
        choose(system, selector)
    assert str(raised.value).startswith(text)
    assert "`a` (remoteproc0), `b` (remoteproc1), `c` (remoteproc2)" in str(raised.value)


def test_names_that_are_not_unique(tmp_path: Path) -> None:
    double = RemoteprocDouble(tmp_path / "machine")
    double.add("cdsp")
    processor = double.add("other")
    processor.write("name", "cdsp")
    system = SystemPaths(str(double.sysroot))
    for selector in (
        ProcessorSelector({"remoteproc.name": "cdsp"}, [], ""),
        ProcessorSelector({}, ["REMOTEPROC_NAME=cdsp"], ""),
        ProcessorSelector({}, [], "cdsp"),
    ):
        with pytest.raises(Failure, match="fits 2 of them") as raised:
            choose(system, selector)
        # What was given already is not what is advised.
        assert raised.value.remedy == (
            "choose by annotation remoteproc.device: remoteproc0 or remoteproc1; the numbers depend on the order of "
            "probing"
        )
    both = {"remoteproc.name": "cdsp", "remoteproc.device": "remoteproc1"}
    assert choose(system, ProcessorSelector(both, [], "")).device == "remoteproc1"
    assert choose(system, ProcessorSelector({"remoteproc.device": "remoteproc1"}, [], "")).device == "remoteproc1"


@pytest.mark.parametrize(
    ("selector", "place"),
    [
        (ProcessorSelector({"remoteproc.name": ""}, ["REMOTEPROC_NAME=a"], "a"), "annotation remoteproc.name"),
        (ProcessorSelector({"remoteproc.device": ""}, [], ""), "annotation remoteproc.device"),
        (ProcessorSelector({"remoteproc.name": "a", "remoteproc.device": ""}, [], ""), "annotation remoteproc.device"),
        (ProcessorSelector({}, ["REMOTEPROC_NAME=a", "REMOTEPROC_NAME="], ""), "environment REMOTEPROC_NAME"),
        (ProcessorSelector({"remoteproc.name": "a"}, ["REMOTEPROC_NAME="], ""), "environment REMOTEPROC_NAME"),
    ],
)
def test_an_empty_name_is_no_wish_for_any(tmp_path: Path, selector: ProcessorSelector, place: str) -> None:
    double = RemoteprocDouble(tmp_path / "machine")
    double.add("a")
    with pytest.raises(Failure, match=f"^{place} is empty") as raised:
        choose(SystemPaths(str(double.sysroot)), selector)
    assert "name a processor" in raised.value.remedy


@pytest.mark.parametrize("options", [("--processor", ""), ("--processor=",)])
def test_an_empty_option(command: Command, double: RemoteprocDouble, firmware: Path, options: tuple[str, ...]) -> None:
    double.add("a")
    create: tuple[str | Path, ...] = ("create", firmware, "motor")
    for words in ((*create[:1], *options, *create[1:]), (*options, *create)):
        assert "--processor is empty" in command.run(*words, code=2).stderr
    assert not (double.root / "motor").exists()


def test_machine_without_processors(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="has no remote processor"):
        choose(SystemPaths(str(tmp_path)), ProcessorSelector({}, [], ""))


def test_order_and_shape_of_devices(tmp_path: Path) -> None:
    for name in ("remoteproc10", "remoteproc9", "remoteproc", "remoteprocx", "other1"):
        (tmp_path / "sys/class/remoteproc" / name).mkdir(parents=True)
    assert [each.device for each in processors(SystemPaths(str(tmp_path)))] == ["remoteproc9", "remoteproc10"]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("running", ("runs `theirs.elf`", "echo stop")),
        ("crashed", ("has crashed running `theirs.elf`", "echo recover")),
        ("attached", ("is attached", "echo stop")),
        ("detached", ("started before Linux", "boot loader")),
        ("suspended", ("is suspended", "wake")),
        ("deleted", ("is `deleted`", "dmesg")),
        ("new-in-linux-9", ("is `new-in-linux-9`", "dmesg")),
    ],
)
def test_who_has_it_and_what_to_do(tmp_path: Path, state: str, words: tuple[str, str]) -> None:
    double = RemoteprocDouble(tmp_path / "machine")
    processor = double.add("a", state=state)
    processor.write("firmware", "theirs.elf")
    with pytest.raises(Failure) as raised:
        require_free(Remoteproc(SystemPaths(str(double.sysroot)), "remoteproc0"))
    assert words[0] in raised.value.message
    assert words[1] in raised.value.remedy


def test_offline_is_free_unless_read_only(system: SystemPaths, tmp_path: Path) -> None:
    remoteproc = Remoteproc(system, "remoteproc0")
    require_free(remoteproc)
    (tmp_path / "machine/sys/class/remoteproc/remoteproc0/state").chmod(0o444)
    with pytest.raises(Failure, match="is read-only"):
        require_free(remoteproc)


def test_a_read_only_sysfs_is_refused_with_its_remedy(system: SystemPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """The modes grant everything there, and each write would be refused."""
    facts = posix.statvfs(str(system.remoteproc_class))
    read_only = type(facts)((*facts[:8], facts.f_flag | posix.ST_RDONLY, *facts[9:]))
    monkeypatch.setattr(posix, "statvfs", lambda _: read_only)
    with pytest.raises(Failure, match="sysfs is mounted read-only") as raised:
        require_free(Remoteproc(system, "remoteproc0"))
    assert raised.value.remedy == "mount -o remount,rw /sys"


@pytest.mark.parametrize("key", ["remoteproc.typo", "remoteproc.nmae", "remoteproc.firmware.sha512"])
def test_misspelt_annotations_are_refused(key: str) -> None:
    with pytest.raises(Failure, match="is not known"):
        check_annotations({key: "x"})


def test_annotations_of_others_are_left_alone() -> None:
    check_annotations({"org.opencontainers.image.title": "x", "io.kubernetes.cri.sandbox-id": "y"})
