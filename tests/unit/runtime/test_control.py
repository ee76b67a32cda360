"""The control socket: requests, rubbish, clients that say nothing, and folders with long names."""

import os
import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.supervisor.control import LARGEST_PACKET, MOST_CONNECTIONS, ControlServer, ask, listen
from hybrid_runtime.system.deadline import Deadline
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble


class Served:
    """A server in a folder, and clients of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.server = ControlServer(listen(str(folder)))
        self.clients: list[socket.socket] = []

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        descriptor = os.open(self.folder, os.O_PATH)
        client.connect(f"/proc/self/fd/{descriptor}/control")
        os.close(descriptor)
        client.settimeout(10)
        self.clients.append(client)
        return client

    def turn(self) -> list[tuple[int, str]]:
        """What the supervisor's loop does with the descriptors that are ready now."""
        ready = select.select(self.server.descriptors(), [], [], 0)[0]
        requests = []
        for descriptor in ready:
            verb = self.server.receive(descriptor)
            if verb is not None:
                requests.append((descriptor, verb))
        return requests

    def close(self) -> None:
        for client in self.clients:
            client.close()
        for connection in self.server.connections.values():
            connection.close()
        self.server.listener.close()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path / "container")
    yield served
    served.close()


def test_request_and_answer(served: Served) -> None:
    client = served.connect()
    assert served.turn() == []
    client.send(b'{"verb": "start"}')
    ((descriptor, verb),) = served.turn()
    assert verb == "start"
    served.server.answer(descriptor, {"ok": True})
    assert client.recv(1000) == b'{"ok": true}'
    assert client.recv(1000) == b""
    assert served.server.connections == {}


@pytest.mark.parametrize(
    "packet",
    [
        b"x",
        b"{",
        b"[]",
        b"{}",
        b'{"verb": 1}',
        b"\xff",
        b"[" * 10_000,
        b"{" * LARGEST_PACKET + b"}",
        b'{"verb": "' + b"x" * 20_000,
    ],
    ids=lambda packet: repr(packet[:8]),
)
def test_rubbish_is_hung_up_on(served: Served, packet: bytes) -> None:
    client = served.connect()
    client.send(packet)
    served.turn()
    assert served.turn() == []
    assert client.recv(1000) == b""
    assert served.server.connections == {}


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=5))
def test_any_packets(packets: list[bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder) / "container")
        try:
            for packet in packets:
                served.connect().send(packet)
            for _ in range(2 * len(packets)):
                assert served.turn() == []
            assert served.server.connections == {}
        finally:
            served.close()


def test_silent_clients_are_not_waited_for(served: Served) -> None:
    silent = [served.connect() for _ in range(5)]
    for _ in silent:
        served.turn()
    client = served.connect()
    client.send(b'{"verb": "start"}')
    served.turn()
    assert [verb for _, verb in served.turn()] == ["start"]
    silent[0].close()
    served.turn()
    assert len(served.server.connections) == 5


def test_silent_clients_are_bounded(served: Served) -> None:
    first = served.connect()
    served.turn()
    for _ in range(MOST_CONNECTIONS):
        served.connect()
        served.turn()
    assert len(served.server.connections) == MOST_CONNECTIONS
    assert first.recv(1) == b""


def test_client_that_leaves_before_its_answer(served: Served) -> None:
    client = served.connect()
    client.send(b'{"verb": "start"}')
    served.turn()
    ((descriptor, _),) = served.turn()
    client.close()
    served.server.answer(descriptor, {"ok": True})
    assert served.server.connections == {}


def test_long_answers_keep_their_form(tmp_path: Path) -> None:
    served = Served(tmp_path / "container")
    lines = [f"{number}: " + "\x01" * 1000 for number in range(16)]
    answers: list[object] = []
    client = threading.Thread(target=lambda: answers.append(ask(str(served.folder), "start", Deadline(10))))
    client.start()
    requests: list[tuple[int, str]] = []
    while not requests:
        select.select(served.server.descriptors(), [], [], 10)
        requests = served.turn()
    served.server.answer(requests[0][0], {"ok": False, "message": "refused", "kernel": lines})
    client.join()
    (answer,) = answers
    assert isinstance(answer, dict)
    assert answer["message"] == "refused"
    # The last lines tell most.
    assert answer["kernel"] == lines[-len(answer["kernel"]) :]
    assert answer["kernel"]
    served.close()


def test_ask_gives_up(served: Served) -> None:
    assert ask(str(served.folder), "start", Deadline(0.05)) is None
    served.server.listener.close()
    assert ask(str(served.folder), "start", Deadline(5)) is None


@pytest.mark.parametrize("length", [100, 107, 108, 109, 200, 255])
def test_folders_longer_than_a_socket_address(tmp_path: Path, length: int) -> None:
    served = Served(tmp_path / ("x" * length) / ("y" * length))
    served.connect().send(b'{"verb": "start"}')
    served.turn()
    assert [verb for _, verb in served.turn()] == ["start"]
    served.close()


def test_container_below_a_long_root(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    root = double.sysroot / ("r" * 120) / ("s" * 120)
    identifier = "i" * 255
    command.run("--root", root, "create", firmware, identifier)
    command.run("--root", root, "start", identifier)
    assert core.state == "running"
    command.run("--root", root, "delete", "--force", identifier)
    assert double.leftovers() == []
    assert [path.name for path in root.iterdir()] == ["~lock"]


def test_rubbish_does_not_end_a_container(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    pid = command.create(firmware, "motor")
    for packet in (b"rubbish", b'{"verb": "stop"}', b'{"verb": {}}', b"[" * 9000):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with client:
            folder = os.open(double.root / "motor", os.O_PATH)
            client.connect(f"/proc/self/fd/{folder}/control")
            os.close(folder)
            client.settimeout(10)
            client.send(packet)
            answer = client.recv(1000)
            assert answer == b"" or b"unknown request `stop`" in answer
    command.run("start", "motor")
    assert command.state("motor")["pid"] == pid
    assert core.state == "running"


def test_ask_waits_while_the_queue_is_full(served: Served) -> None:
    """More starts at once than listen(2) keeps: a late one waits, and is not taken for a dead supervisor's."""
    answers: list[object] = []
    askers = [
        threading.Thread(target=lambda: answers.append(ask(str(served.folder), "start", Deadline(20))))
        for _ in range(100)
    ]
    for asker in askers:
        asker.start()
    while any(asker.is_alive() for asker in askers):
        select.select(served.server.descriptors(), [], [], 0.1)
        for descriptor, _ in served.turn():
            served.server.answer(descriptor, {"ok": True})
    assert answers == [{"ok": True}] * 100
