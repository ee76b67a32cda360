"""Rubbish in every place that others may write to: one line of error or success, never a traceback, nothing left.

The command in forked processes, for speed; image archives have tests of their own.
"""

import json
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_runtime.bundle.bundle import Bundle
from hybrid_runtime.system.failure import Failure
from tests.elf_builder import build_elf
from tests.invariants import broken_after_delete
from tests.unit.runtime.command_runner import Command, Outcome, attempt, eventually
from tests.unit.runtime.remoteproc_double import ProcessorDouble

VERBS = ("state", "start", "kill", "delete", "logs", "ps")
# A fork for each; many more with --thorough.
EXAMPLES = settings().max_examples // 4
SHARED = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
ODD_TEXT = st.text(st.characters(), max_size=12) | st.sampled_from(["\ud800", "\udcff", "a\0b", "../..", "/", "", "\n"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ODD_TEXT | st.sampled_from([10**400, -(10**400)])
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=3), max_leaves=5
)


def check_words(outcome: Outcome) -> None:
    """Of a call that may have failed: one line that says so, beside warnings."""
    stderr = outcome.stderr_path.read_bytes().decode("utf-8", "replace")
    assert "Traceback" not in stderr, stderr
    lines = [line for line in stderr.splitlines() if ": warning: " not in line]
    if outcome.code:
        assert outcome.code in (1, 2), outcome.code
        assert lines, stderr
        assert lines[0].startswith("hybrid-runtime: "), stderr


# config.json


def near(value: object) -> st.SearchStrategy[Any]:
    """Mostly what is right, sometimes anything."""
    return st.one_of(st.just(value), st.just(value), st.just(value), ANYTHING)


HOOK = st.fixed_dictionaries(
    {"path": near("/bin/true")},
    optional={"args": near(["true", "x"]), "env": near(["A=b"]), "timeout": near(2), "more": ANYTHING},
)
HOOKS = st.dictionaries(
    st.sampled_from(["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", "x"]),
    near([]) | st.lists(HOOK, max_size=2),
    max_size=2,
)
CONFIGS = st.fixed_dictionaries(
    {
        "ociVersion": near("1.0.2"),
        "root": near({"path": "rootfs"}) | st.fixed_dictionaries({"path": near("rootfs"), "readonly": ANYTHING}),
    },
    optional={
        "process": near({"args": ["/fw.elf"]})
        | st.fixed_dictionaries({"args": near(["/fw.elf"])}, optional={"env": ANYTHING, "terminal": near(False)}),
        "annotations": st.dictionaries(
            st.sampled_from(
                [
                    "remoteproc.name",
                    "remoteproc.device",
                    "remoteproc.recovery",
                    "remoteproc.coredump",
                    "remoteproc.logs",
                    "remoteproc.logs-size",
                    "remoteproc.start-timeout",
                    "remoteproc.firmware.sha256",
                    "remoteproc.format",
                    "vendor.note",
                ]
            ),
            ANYTHING,
            max_size=3,
        ),
        "hooks": near({}) | HOOKS,
        "linux": st.fixed_dictionaries(
            {}, optional={"namespaces": near([{"type": "pid"}]), "cgroupsPath": near("/a/b"), "resources": ANYTHING}
        ),
        "mounts": ANYTHING,
        "hostname": ANYTHING,
    },
)


def create_bundle(command: Command, config: bytes) -> None:
    """Whatever comes of it, afterwards there is nothing."""
    folder = command.folder / "bundle"
    (folder / "rootfs").mkdir(parents=True, exist_ok=True)
    (folder / "rootfs/fw.elf").write_bytes(build_elf())
    (folder / "config.json").write_bytes(config)
    outcome = command.forked("create", "--bundle", folder, "motor")
    check_words(outcome)
    if outcome.code:
        assert command.double.leftovers() == [], outcome
    else:
        check_words(command.forked("start", "motor"))
        check_words(command.forked("delete", "--force", "motor"))
    eventually(lambda: broken_after_delete(command.double.sighting(), "enabled") == [])


def as_json(config: object) -> bytes:
    return json.dumps(config).encode()


@SHARED
@given(config=CONFIGS)
@example(config={"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"args": ["/fw.elf"]}})
def test_configurations(command: Command, core: ProcessorDouble, config: object) -> None:
    create_bundle(command, as_json(config))
    assert core.state == "offline"


@SHARED
@given(data=st.binary(max_size=300))
@example(data=b"[" * 200_000)
@example(data=b'{"a":' * 50_000 + b"1" + b"}" * 50_000)
@example(data=b'{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "x": ' + b"9" * 100_000 + b"}")
@example(data=b'{"ociVersion": "2", "ociVersion": "1.0.2", "root": {"path": 1}, "root": {"path": "rootfs"}}')
@example(data=b'{"ociVersion": "1.0.2", "root": {"path": "\\ud800"}, "annotations": {"\\udfff": "\\ud800"}}')
@example(data=b'\xef\xbb\xbf{"ociVersion": "1.0.2"}')
@example(data=b'{"ociVersion": "1.0.2", "root": {"path": "rootfs"}} trailing')
@example(data=b"")
def test_configurations_of_any_bytes(command: Command, core: ProcessorDouble, data: bytes) -> None:
    create_bundle(command, data)
    assert core.state == "offline"


@settings(max_examples=4 * EXAMPLES)
@given(config=CONFIGS)
def test_configurations_are_parsed_or_refused(config: object) -> None:
    found = attempt(lambda: Bundle("/bundle", as_json(config)), Failure)
    assert isinstance(found, Failure) or found.root.startswith("/")


# Ids


@SHARED
@given(
    identifier=ODD_TEXT.filter(lambda text: "\0" not in text) | st.text("./a-", max_size=6), verb=st.sampled_from(VERBS)
)
def test_identifiers(command: Command, core: ProcessorDouble, firmware: Path, identifier: str, verb: str) -> None:
    word = os.fsencode(identifier.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"))
    name = os.fsdecode(word)
    before = sorted(command.double.sysroot.rglob("*"))
    check_words(command.forked(verb, "--", name))
    assert sorted(command.double.sysroot.rglob("*")) == before
    outcome = command.forked("create", "--", firmware, name)
    check_words(outcome)
    if outcome.code == 0:
        assert command.double.containers() == [name]
        check_words(command.forked("delete", "--force", "--", name))
    assert command.double.leftovers() == []
    assert core.boots == []


# ELF files

EXTREMES = (0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, (1 << 63) - 1, (1 << 64) - 1)


def with_extreme(wide: bool, big: bool, at: int, width: int, value: int) -> bytes:
    """A valid file but for one number in its headers."""
    data = bytearray(build_elf(wide=wide, big=big))
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[width]
    at %= len(data) - width
    data[at : at + width] = struct.pack((">" if big else "<") + code, value & ((1 << 8 * width) - 1))
    return bytes(data)


ELFS = st.builds(
    with_extreme,
    st.booleans(),
    st.booleans(),
    st.integers(0, 400),
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(EXTREMES),
)


@SHARED
@given(data=ELFS)
def test_elf_files(command: Command, core: ProcessorDouble, data: bytes) -> None:
    path = command.folder / "fuzzed.elf"
    path.write_bytes(data)
    outcome = command.forked("create", path, "motor")
    check_words(outcome)
    if outcome.code == 0:
        check_words(command.forked("start", "motor"))
        check_words(command.forked("delete", "--force", "motor"))
    assert broken_after_delete(command.double.sighting(), "enabled") == []
    assert core.state == "offline"


# The control socket


def connect(command: Command) -> socket.socket:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    folder = os.open(command.double.root / "motor", os.O_PATH)
    try:
        client.connect(f"/proc/self/fd/{folder}/control")
        client.settimeout(10)
    finally:
        os.close(folder)
    return client


@settings(SHARED, max_examples=EXAMPLES // 2)
@given(packets=st.lists(st.binary(min_size=1, max_size=200) | ANYTHING.map(as_json), max_size=20))
def test_packets(command: Command, core: ProcessorDouble, firmware: Path, packets: list[bytes]) -> None:
    """Each on a connection of its own, every other one left half open; then the start that counts."""
    check_words(command.forked("create", firmware, "motor"))
    half_open = []
    for index, packet in enumerate(packets):
        client = connect(command)
        client.send(packet)
        if index % 2:
            half_open.append(client)
        else:
            client.close()
    check_words(command.forked("start", "motor"))
    assert core.state == "running"
    assert command.forked("delete", "--force", "motor").code == 0
    for client in half_open:
        client.close()
    assert command.double.leftovers() == []


def test_floods(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    """More connections than are kept, then as many packets as go: the firmware's lines still come through."""
    command.create(firmware, "motor")
    silent = [connect(command) for _ in range(300)]
    command.run("start", "motor")
    for _ in range(300):
        with connect(command) as client:
            client.send(b'{"verb": "start"}')
    core.print(b"still here\n")
    eventually(lambda: "still here" in command.run("logs", "motor").stdout)
    for client in silent:
        client.close()
    pid = command.state("motor")["pid"]
    eventually(lambda: len(list(Path(f"/proc/{pid}/fd").iterdir())) < 20)
    assert core.references == 1


# Records and journals

Damage = Callable[[bytes], bytes]
# Nothing is drawn from the file itself: process ids and times in it have more or fewer digits from run to run, and
# hypothesis wants to draw the same again.
PLACES = st.integers(0, 2**16 - 1)


def cut(place: int) -> Damage:
    return lambda text: text[: place % (len(text) + 1)]


def overwritten(changes: list[tuple[int, int]]) -> Damage:
    def damage(text: bytes) -> bytes:
        torn = bytearray(text)
        for at, value in changes:
            torn[at % len(text)] = value
        return bytes(torn)

    return damage


def with_another_field(place: int, value: object) -> Damage:
    def damage(text: bytes) -> bytes:
        values = json.loads(text)
        values[sorted(values)[place % len(values)]] = value
        return as_json(values)

    return damage


def replaced(content: bytes) -> Damage:
    return lambda _: content


DAMAGES = st.one_of(
    st.builds(cut, PLACES),
    st.builds(overwritten, st.lists(st.tuples(PLACES, st.integers(0, 255)), max_size=5)),
    st.builds(with_another_field, PLACES, ANYTHING),
    st.builds(replaced, ANYTHING.map(as_json) | st.binary(max_size=50)),
)
LOOKS = st.permutations(("state", "start", "logs", "ps", "list", "processors"))


def without_a_victim(text: bytes, whole: bytes) -> bytes:
    """Damage that happens to name another process is none: a defect would end whoever runs these tests. That no other
    is signalled is for tests with a bystander of their own."""
    try:
        pid = json.loads(text)["pid"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return text
    names_another = type(pid) is int and 0 < pid < 1 << 22 and pid != json.loads(whole)["pid"]
    return whole if names_another and Path(f"/proc/{pid}").exists() else text


@pytest.mark.parametrize("place", ["record", "journal"])
@settings(SHARED, max_examples=EXAMPLES // 2)
@given(damage=DAMAGES, looks=LOOKS)
def test_damage(
    *, command: Command, core: ProcessorDouble, firmware: Path, place: str, damage: Damage, looks: list[str]
) -> None:
    """One of the two is damaged, by whatever: the other one still ends the container."""
    double = command.double
    assert command.forked("create", firmware, "motor").code == 0
    assert command.forked("start", "motor").code == 0
    path = {"record": double.root / "motor/record.json", "journal": double.claims / f"{core.device}.journal"}[place]
    whole = path.read_bytes()
    path.write_bytes(without_a_victim(damage(whole), whole))
    for verb in looks[:2]:
        check_words(command.forked(verb, *(["motor"] if verb not in ("list", "processors") else [])))
    check_words(command.forked("delete", "--force", "motor"))
    command.reap()
    assert double.containers() == double.living() == []
    # What a damaged journal would have told is found by the next create: its firmware is nobody's, its core ours.
    assert command.forked("create", firmware, "next").code == 0
    assert core.state == "offline"
    assert command.forked("delete", "next").code == 0
    command.reap()
    for aside in double.claims.glob("*.damaged"):
        aside.unlink()
    assert double.leftovers() == []
    # The settings went with the journal, if it was that.
    core.write("recovery", "enabled")
