"""What is remembered of a container: written, read back, damaged; and the folder it lies in."""

import json
import os
import posix
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.container.record import (
    FORMAT,
    Exit,
    Record,
    UnreadableRecord,
    is_device,
    load_record,
    record_path,
)
from hybrid_runtime.container.store import Store, remove_folder
from hybrid_runtime.system.durable_file import write_durably
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import Command, attempt
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

JSON: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers(), max_size=2)
)
FIELDS = sorted(Record("", "", "").__dict__)


def full_record() -> Record:
    record = Record("motor", "/bundle", "2026-11-22T00:00:00Z")
    record.annotations = {"a": "b", "é": "\u2028"}
    record.phase = "started"
    record.pid, record.pid_start_time = 12, 34
    record.device, record.processor, record.resolved_path = "remoteproc0", "core0", "/sys/devices/x"
    record.firmware_name, record.firmware_file = "fw", "/lib/firmware/fw"
    record.crashes, record.crash_time, record.crash_type = 2, "t", "watchdog"
    record.end = Exit(70, "the core crashed", "2026-11-22T00:00:01Z")
    return record


def test_round_trip(tmp_path: Path) -> None:
    full_record().save(str(tmp_path))
    found = load_record(str(tmp_path), "motor")
    assert found.to_json() == full_record().to_json()
    assert Path(record_path(str(tmp_path))).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_a_new_record() -> None:
    texts = ("device", "processor", "resolved_path", "firmware_name", "firmware_file")
    crash = ("crash_time", "crash_type", "coredump_path", "refused_stop")
    given = {"format": 1, "identifier": "motor", "bundle": "/bundle", "created": "now", "annotations": {}, "hooks": []}
    numbers = {"phase": "creating", "pid": 0, "pid_start_time": 0, "crashes": 0, "end": None}
    assert Record("motor", "/bundle", "now").to_json() == given | numbers | dict.fromkeys((*texts, *crash), "")


@pytest.mark.parametrize(
    ("annotations", "recovers", "keeps"),
    [
        ({}, False, False),
        ({"remoteproc.recovery": "kernel", "remoteproc.coredump": "off"}, True, False),
        ({"remoteproc.recovery": "none", "remoteproc.coredump": "on"}, False, True),
        # on both sides of the word by the alphabet
        ({"remoteproc.recovery": "a", "remoteproc.coredump": "a"}, False, False),
        ({"remoteproc.recovery": "z", "remoteproc.coredump": "z"}, False, False),
    ],
)
def test_what_annotations_ask_for(annotations: dict[str, str], recovers: bool, keeps: bool) -> None:
    """As they are read: their words are no objects of the module's."""
    record = Record("motor", "", "")
    record.annotations = {key: "".join([*value]) for key, value in annotations.items()}
    assert (record.kernel_recovers, record.keeps_dumps) == (recovers, keeps)


@pytest.mark.parametrize(
    ("name", "good"),
    [
        *(
            ("remoteproc0", True),
            ("remoteproc12", True),
            ("remoteproc", False),
            ("", False),
            ("0", False),
            ("7", False),
        ),
        *(("remoteproc-1", False), ("remoteproc0a", False), ("remoteproc\u0663", False), ("remoteproc0/..", False)),
    ],
)
def test_names_of_devices(name: str, good: bool) -> None:
    assert is_device(name) is good


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ({}, (0, "", "")),
        ({"code": 70, "reason": "crashed", "time": "now", "more": 1}, (70, "crashed", "now")),
    ],
)
def test_an_end_of_another_version(end: dict[str, object], expected: tuple[int, str, str]) -> None:
    found = Record.from_json(full_record().to_json() | {"end": end}, "motor").end
    assert found is not None
    assert (found.code, found.reason, found.time) == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"end": []}, "field `end` is not an object"),
        *(({"end": {"code": code}}, "a field of `end`") for code in (True, "0", 1.0, None)),
        ({"end": {"reason": 1}}, "a field of `end`"),
        ({"end": {"time": 1}}, "a field of `end`"),
        ({"identifier": "another"}, "names another container"),
        ({"identifier": "z"}, "names another container"),
        ({"phase": "ended"}, "`phase` is none"),
        ({"device": "sda"}, "`device` is no processor"),
        ({"annotations": {"a": "b", "c": 1}}, "an annotation is not a string"),
        ({"pid": True}, "field `pid` is of the wrong type"),
        ({"format": 2}, "it is of format `2`, this version reads up to 1"),
    ],
)
def test_values_that_are_none(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Record.from_json(full_record().to_json() | change, "motor")


@pytest.mark.parametrize("change", [{"device": ""}, {"phase": "created"}, {"end": None}, {"format": 1}, {"format": 0}])
def test_values_that_are_some(change: dict[str, object]) -> None:
    found = Record.from_json(full_record().to_json() | change, "".join([*"motor"]))
    assert found.to_json() == full_record().to_json() | change | {"format": 1}


def test_a_record_that_cannot_be_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(posix, "fsync", full)
    with pytest.raises(Failure, match="cannot write the record of container `motor`") as refused:
        full_record().save(str(tmp_path))
    assert refused.value.remedy == "free space there, or choose another --root"
    assert list(tmp_path.iterdir()) == []


@given(
    st.text(),
    st.dictionaries(st.text(), st.text(), max_size=4),
    st.integers(0, 1 << 30),
    st.none() | st.tuples(st.integers(0, 255), st.text(), st.text()),
)
def test_any_values_come_back(
    text: str, annotations: dict[str, str], number: int, end: tuple[int, str, str] | None
) -> None:
    record = Record(text, text, text)
    record.annotations = annotations
    record.crashes = number
    record.end = Exit(*end) if end else None
    values = json.loads(json.dumps(record.to_json()))
    assert Record.from_json(values, text).to_json() == record.to_json()


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3), st.sets(st.sampled_from(FIELDS), max_size=2))
def test_damaged_fields(changes: dict[str, object], missing: set[str]) -> None:
    good = full_record().to_json()
    values = {key: value for key, value in (good | changes).items() if key not in missing}
    record = attempt(lambda: Record.from_json(values, "motor"), ValueError)
    if isinstance(record, Record):
        assert all(type(getattr(record, key)) is type(good[key]) for key in FIELDS if key != "end")
    else:
        assert str(record)
        assert set(changes) - missing


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_that_another_version_does_not_know(field: str) -> None:
    values = {key: value for key, value in full_record().to_json().items() if key != field}
    found = Record.from_json(values | {"from the future": [1]}, "motor")
    default = Record("motor", "", "")
    assert getattr(found, field) == getattr(default, field)
    assert all(vars(found)[key] == vars(full_record())[key] for key in FIELDS if key not in (field, "end"))


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_the_wrong_type(field: str) -> None:
    wrong = 7 if isinstance(full_record().to_json()[field], str) else "text"
    with pytest.raises(ValueError, match=f"`{field}`"):
        Record.from_json(full_record().to_json() | {field: wrong}, "motor")


@pytest.mark.parametrize("written", [FORMAT + 1, "1", None, True])
def test_a_later_format(written: object) -> None:
    with pytest.raises(ValueError, match="is of format"):
        Record.from_json(full_record().to_json() | {"format": written}, "motor")


@given(st.integers(0, 1000), st.binary(max_size=4))
def test_damaged_files(length: int, rubbish: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        full_record().save(folder)
        path = Path(record_path(folder))
        data = path.read_bytes()
        path.write_bytes(data[:length] + rubbish)
        record = attempt(lambda: load_record(folder, "motor"), UnreadableRecord)
        if isinstance(record, UnreadableRecord):
            assert "delete --force motor" in record.remedy
        else:
            assert length >= len(data)


def test_absent_container_and_absent_record(tmp_path: Path) -> None:
    store = Store(SystemPaths(), str(tmp_path))
    with pytest.raises(Failure, match=r"^container does not exist") as raised:
        store.load("motor")
    assert not isinstance(raised.value, UnreadableRecord)
    (tmp_path / "motor").mkdir()
    (tmp_path / "motor/record.json.1-a.tmp").write_text("")
    with pytest.raises(Failure, match=r"^container does not exist"):
        store.load("motor")
    (tmp_path / "motor/log").write_text("")
    with pytest.raises(UnreadableRecord, match="file not found"):
        store.load("motor")


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that a record may name by mistake. A defect then ends it, and nobody else's."""
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(
    "changes",
    [
        {"pid": 1 << 80},
        {"pid": -1},
        {"pid_start_time": 1},
        {"pid_start_time": -5},
        {"device": "../../../etc"},
        {"device": ""},
        {"firmware_name": "", "phase": "unheard-of"},
        {"annotations": {"remoteproc.start-timeout": "soon"}},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    "verb", [("state",), ("start",), ("kill",), ("kill", "KILL"), ("logs",), ("delete", "--force")]
)
def test_wrong_but_well_formed_records(
    *,
    command: Command,
    double: RemoteprocDouble,
    bystander: "subprocess.Popen[bytes]",
    changes: dict[str, object],
    verb: tuple[str, ...],
) -> None:
    folder = double.root / "motor"
    folder.mkdir(parents=True)
    record = full_record()
    record.pid = bystander.pid
    record.save(str(folder))
    path = folder / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    name, *rest = verb
    options = [word for word in rest if word.startswith("-")]
    command.run(name, *options, "motor", *(word for word in rest if word not in options), code=None)
    if name == "delete":
        assert double.containers() == []
    assert bystander.poll() is None


def test_folder_of_a_container(tmp_path: Path) -> None:
    store = Store(SystemPaths(), str(tmp_path / "a/b"))
    folder = Path(store.make_folder("motor"))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.parent.stat().st_mode & 0o777 == 0o700
    with pytest.raises(Failure, match="already exists"):
        store.make_folder("motor")
    assert store.identifiers() == ["motor"]
    assert Store(SystemPaths(), str(tmp_path / "absent")).identifiers() == []
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Failure, match="cannot make"):
        Store(SystemPaths(), str(tmp_path / "file")).make_folder("motor")


def test_removed_folder_takes_no_link_target_along(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "precious").write_bytes(b"")
    folder = tmp_path / "folder"
    (folder / "bundle").mkdir(parents=True)
    (folder / "bundle/config.json").write_bytes(b"")
    (folder / "link").symlink_to(victim)
    os.mkfifo(folder / "fifo")
    remove_folder(str(folder))
    remove_folder(str(folder))
    assert not folder.exists()
    assert (victim / "precious").exists()


def test_foreign_root_below_tmp_is_refused(tmp_path: Path) -> None:
    """Whoever made it could name our processes in its records."""
    folder = Path(f"/tmp/hybrid-runtime-test-{os.getpid()}")
    store = Store(SystemPaths(), str(folder))
    try:
        folder.mkdir(mode=0o755)
        for act in (store.load, store.make_folder):
            with pytest.raises(Failure, match="is not a private folder"):
                act("motor")
        folder.chmod(0o700)
        with pytest.raises(Failure, match="does not exist"):
            store.load("motor")
        folder.rmdir()
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        folder.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(Failure, match="is not a private folder"):
            store.load("motor")
    finally:
        folder.unlink() if folder.is_symlink() else folder.rmdir()


def test_durable_files_are_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_durably(str(path), b"first")
    monkeypatch.setattr(posix, "rename", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(OSError, match="Input/output"):
        write_durably(str(path), b"second")
    assert path.read_bytes() == b"first"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_bytes_reach_the_disk_before_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut between the two must leave the former file."""
    done: list[str] = []
    fsync, rename = posix.fsync, posix.rename

    def flush(descriptor: int) -> None:
        done.append(f"fsync of {os.fstat(descriptor).st_size} bytes")
        fsync(descriptor)

    def name(source: str, target: str) -> None:
        done.append("rename")
        rename(source, target)

    monkeypatch.setattr(posix, "fsync", flush)
    monkeypatch.setattr(posix, "rename", name)
    write_durably(str(tmp_path / "file"), b"whole")
    assert done == ["fsync of 5 bytes", "rename"]


def test_words_for_errnos() -> None:
    assert errno_meaning(OSError(22, "Invalid argument")) == "invalid argument"
    assert errno_meaning(FileNotFoundError(2, "No such file or directory")) == "file not found"
    assert errno_meaning(OSError("without a number")) == "unknown error"


def test_removal_beside_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two deletes at once: what the other one has removed between two of our steps is no error."""
    folder = tmp_path / "motor"
    for name in ("bundle", "more"):
        (folder / name).mkdir(parents=True)
        (folder / name / "file").write_text("")

    def gone(path: str) -> None:
        shutil.rmtree(folder)
        assert not Path(path).exists()

    monkeypatch.setattr("hybrid_runtime.container.store.remove_file", gone)
    remove_folder(str(folder))
    assert list(tmp_path.iterdir()) == []
