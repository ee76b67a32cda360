"""A supervisor's scope, asked of a double of systemd. The tests of engines have a real one."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybrid_runtime.container import systemd_scope
from hybrid_runtime.container.cgroup import names_scope
from hybrid_runtime.container.systemd_scope import Scope, can_be_asked_for, join_scope
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.bus_double import ERROR, RETURN, SIGNAL, Answer, BusDouble, message
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

PATH = "machine.slice:libpod:4711abc"
UNIT = "libpod-4711abc.scope"
EXISTS = "org.freedesktop.systemd1.UnitExists"
Serve = Callable[..., BusDouble]
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the system's systemd does this for root alone")


@pytest.fixture
def serve(double: RemoteprocDouble) -> Iterator[Serve]:
    """A bus whose systemd gives these answers."""
    made: list[BusDouble] = []

    def start(*answers: Answer, greeting: bytes = b"OK 1234\r\n") -> BusDouble:
        made.append(BusDouble(double.sysroot / "run/dbus/system_bus_socket", *answers, greeting=greeting))
        return made[0]

    yield start
    for bus in made:
        bus.close()


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


@pytest.fixture
def group(double: RemoteprocDouble) -> Path:
    """What the kernel says of the group of the process with this number."""
    path = double.sysroot / "proc/321/cgroup"
    path.parent.mkdir(parents=True)
    path.write_text("0::/system.slice/engine.service\n")
    return path


def started(group: Path) -> Answer:
    """systemd does as it is asked."""

    def answer(serial: int) -> bytes:
        group.write_text(f"0::/machine.slice/{UNIT}\n")
        return message(RETURN, serial, text="/org/freedesktop/systemd1/job/1")

    return answer


def refused(name: str, text: str) -> Answer:
    return lambda serial: message(ERROR, serial, error=name, text=text)


@pytest.mark.parametrize(
    ("path", "slice_name", "unit"),
    [
        (PATH, "machine.slice", UNIT),
        (":docker:0a1b", "system.slice", "docker-0a1b.scope"),
        ("user.slice::one", "user.slice", "one.scope"),
    ],
)
def test_what_a_path_names(path: str, slice_name: str, unit: str) -> None:
    assert names_scope(path)
    assert (Scope(path).slice, Scope(path).unit) == (slice_name, unit)


@pytest.mark.parametrize("path", ["", "/docker/one", "a:b", "a:b:c:d"])
def test_what_names_none(path: str) -> None:
    assert not names_scope(path)


def test_it_is_asked_for_and_joined(serve: Serve, system: SystemPaths, group: Path) -> None:
    assert not can_be_asked_for(system)
    bus = serve(started(group))
    assert can_be_asked_for(system)
    join_scope(system, PATH, 321)
    hello, call = bus.calls
    assert b"Hello\0" in hello
    for word in (b"StartTransientUnit", b"ssa(sv)a(sa(sv))", UNIT.encode(), b"replace", b"machine.slice"):
        assert word + b"\0" in call
    pids = call.index(b"PIDs\0")
    assert call[pids:].startswith(b"PIDs\0\x02au\0")
    assert (321).to_bytes(4, "little") in call[pids : pids + 24]


def test_other_messages_are_passed_over(serve: Serve, system: SystemPaths, group: Path) -> None:
    """A signal, and an answer to a call that is none of ours."""
    others = message(SIGNAL, 2, text="of somebody") + message(RETURN, 99) + message(ERROR, 98, error="a.b", text="c")
    answer = started(group)
    serve(lambda serial: others + answer(serial))
    join_scope(system, PATH, 321)


def test_a_scope_that_is_on_its_way_out_is_waited_for(serve: Serve, system: SystemPaths, group: Path) -> None:
    bus = serve(
        refused(EXISTS, "Unit already loaded"), lambda serial: message(RETURN, serial, text=":1.8"), started(group)
    )
    join_scope(system, PATH, 321)
    assert sum(b"StartTransientUnit\0" in call for call in bus.calls) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refused("org.freedesktop.DBus.Error.AccessDenied", "Permission denied\x1b[2J"), r"Permission denied\x1b[2J"),
        (refused("org.freedesktop.DBus.Error.ServiceUnknown", ""), "ServiceUnknown"),
        (lambda _: b"", "hung up"),
        (lambda _: b"l\x02\0\x01\xff\xff\xff\x7f" + bytes(8), "at length"),
        (lambda serial: message(RETURN, serial), "is not inside after"),
    ],
    ids=["denied", "no systemd", "hangs up", "gigabytes", "not inside"],
)
def test_a_refusal_is_told(
    serve: Serve, system: SystemPaths, group: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, words: str
) -> None:
    monkeypatch.setattr(systemd_scope, "_JOIN_SECONDS", 0.3)
    serve(answer)
    with pytest.raises(Failure) as failed:
        join_scope(system, PATH, 321)
    assert failed.value.message.startswith(f"systemd gives no scope `{UNIT}` in `machine.slice`: ")
    assert words in failed.value.message
    assert str(failed.value).isprintable()
    assert group.read_text() == "0::/system.slice/engine.service\n"


@pytest.mark.parametrize("greeting", [b"REJECTED EXTERNAL\r\n", b"x" * 4096])
def test_a_bus_that_does_not_greet(serve: Serve, system: SystemPaths, greeting: bytes) -> None:
    serve(greeting=greeting)
    with pytest.raises(Failure, match="systemd gives no scope"):
        join_scope(system, PATH, 321)


def test_a_bus_that_says_nothing(serve: Serve, system: SystemPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(systemd_scope, "_JOIN_SECONDS", 0.2)
    serve(greeting=b"")
    with pytest.raises(Failure, match="no answer in time"):
        join_scope(system, PATH, 321)
