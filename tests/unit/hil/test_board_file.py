"""Board files: what they say, and every kind of mistake in them told with its line."""

import re
import tempfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from hybrid_hil.board.board_file import read_board_file
from hybrid_hil.board.lease import Lease
from hybrid_hil.board.power import CommandPower
from hybrid_hil.board.remote import SerialPort
from hybrid_hil.failure import RigError
from hybrid_hil.suite.assignment import Assignment, board_files

EXAMPLES = Path(__file__).parents[3] / "examples/boards"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFhmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZmZm"
WHOLE = """\
exclusive = true  # and everything else a board file may say
name = "gateway-7"
kind = "remote"
boot-seconds = 45

[ssh]
host = "gateway-7.lab"
port = 2222
user = "fw"
host-key = "@KEY@"
login-key = "keys/gateway"
become = ["sudo", "-n"]

[console]
url = "/dev/ttyUSB0"
baud = 921600

[core-console]
url = "rfc2217://terminals:4002"

[power]
on = ["./switch", "7", "on"]
off = ["./switch", "7", "off"]

[[processors]]
name = "m33"
firmware = "firmware/m33"
speaker = "core0"
features = ["coredump", "watchdog"]

[[processors]]
name = "dsp"
""".replace("@KEY@", KEY)
LEAST = """\
name = "b"
kind = "remote"
[ssh]
host = "b"
host-key = "@KEY@"
[[processors]]
name = "m4"
""".replace("@KEY@", KEY)


def write(folder: Path, text: str) -> Path:
    path = folder / "board.toml"
    path.write_text(text)
    return path


def test_everything_is_taken_over(tmp_path: Path) -> None:
    board = read_board_file(write(tmp_path, WHOLE))
    assert (board.name, board.boot_s, board.become) == ("gateway-7", 45, ("sudo", "-n"))
    assert board.exclusive
    address = board.address
    assert (address.host, address.port, address.user) == ("gateway-7.lab", 2222, "fw")
    assert address.login_key == tmp_path / "keys/gateway"
    assert board.console == SerialPort("/dev/ttyUSB0", 921600)
    assert board.core_console == SerialPort("rfc2217://terminals:4002", 115200)
    assert board.power == CommandPower(("./switch", "7", "on"), ("./switch", "7", "off"), None, tmp_path)
    first, second = board.cores
    assert (first.name, first.firmware, first.speaker) == ("m33", tmp_path / "firmware/m33", "core0")
    assert (second.name, second.firmware, second.speaker) == ("dsp", tmp_path / "firmware", "dsp")
    assert (first.features, second.features) == (
        frozenset({"coredump", "watchdog"}),
        frozenset({"coredump", "rpmsg"}),
    )


def test_what_may_be_left_out(tmp_path: Path) -> None:
    board = read_board_file(write(tmp_path, LEAST))
    assert (board.address.port, board.address.user, board.address.login_key) == (22, "root", None)
    assert (board.console, board.core_console, board.power, board.become) == (None, None, None, ())
    assert not board.exclusive


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "remote"', 'kind = "cloud"', "line 3: kind: 'cloud' is not one of"),
        ('kind = "remote"\n', "", "line 1: 'kind' is a required property"),
        ('name = "gateway-7"', 'name = "../x"', "line 2: name: `../x` is not a name for reports"),
        ("port = 2222", "port = 0", "line 8: ssh.port: 0 is less than"),
        ("port = 2222", 'port = "22"', "line 8: ssh.port: '22' is not of type 'integer'"),
        ('user = "fw"', 'usr = "fw"', "line 9: ssh.usr: there is no such key; known are host, port, user"),
        ('host = "gateway-7.lab"\n', "", "line 6: ssh: 'host' is a required property"),
        ('host-key = "ssh-ed25519 ', 'host-key = "', "line 10: ssh.host-key:"),
        ('host-key = "', 'host-key = "gateway ', "is not a line as ssh-keyscan prints it, without the name"),
        ('ZmZmZm"', 'ZmZm"', "line 10: ssh.host-key: the host key `ssh-ed25519"),
        ('name = "dsp"', 'name = "m33"', "line 32: processors.2.name: there is a `m33` already"),
        ("baud = 921600", "baud = 1", "line 16: console.baud: 1 is less than"),
        ('url = "/dev/ttyUSB0"\n', "", "line 14: console: 'url' is a required property"),
        (
            'on = ["./switch", "7", "on"]',
            'on = "./switch on"',
            "line 22: power.on: './switch on' is not of type 'array'",
        ),
        ('off = ["./switch", "7", "off"]', "", "line 21: power: 'off' is a required property"),
        ('name = "dsp"', "nam = 1", "line 32: processors.2.nam: there is no such key"),
        ('speaker = "core0"', 'speaker = "a b"', "line 28: processors.1.speaker: `a b` is not one word"),
        ('"watchdog"]', '"watchcat"]', "line 29: processors.1.features.2: 'watchcat' is not one of"),
        ("[console]", "[consle]", "line 14: consle: there is no such key; known are name, kind"),
        ("[power]", '[labgrid]\nenvironment = "e"\n[power]', "line 21: labgrid: does not belong"),
        ("boot-seconds = 45", "boot-seconds = -1", "line 4: boot-seconds: -1 is less than"),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, old: str, new: str, says: str) -> None:
    assert old in WHOLE
    with pytest.raises(RigError) as caught:
        read_board_file(write(tmp_path, WHOLE.replace(old, new)))
    assert says in caught.value.remedy
    assert caught.value.exit_code == 2


def test_one_table_where_there_may_be_several(tmp_path: Path) -> None:
    with pytest.raises(RigError, match=r"line 6: processors: there may be several: write \[\[processors\]\]"):
        read_board_file(write(tmp_path, LEAST.replace("[[processors]]", "[processors]")))


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_lack_the_board_s_key_alone(tmp_path: Path, example: Path) -> None:
    with pytest.raises(RigError) as caught:
        read_board_file(example)
    key, rest = caught.value.remedy.splitlines()
    assert "ssh.host-key: the host key `ssh-ed25519" in key
    assert rest == "see docs/boards.md"
    text = re.sub(r'"ssh-ed25519 [^"]*"', f'"{KEY}"', example.read_text())
    # labgrid's own configuration is not in the examples.
    with pytest.raises(RigError, match="labgrid") if 'kind = "labgrid"' in text else nullcontext():
        assert read_board_file(write(tmp_path, text)).cores


def test_several_mistakes_come_in_the_order_of_lines(tmp_path: Path) -> None:
    text = WHOLE.replace("port = 2222", "port = 0").replace("boot-seconds = 45", "boots = 1")
    with pytest.raises(RigError) as caught:
        read_board_file(write(tmp_path, text))
    lines = caught.value.remedy.splitlines()
    assert [line.split(":")[0] for line in lines] == ["line 4", "line 8", "see docs/boards.md"]


@pytest.mark.parametrize("text", ["name = \n", "[ssh\n", "a = 1\na = 2\n", "\0"])
def test_what_is_no_toml(tmp_path: Path, text: str) -> None:
    with pytest.raises(RigError, match=r"is no TOML: .*line \d"):
        read_board_file(write(tmp_path, text))


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(RigError, match="cannot be read: No such file"):
        read_board_file(tmp_path / "board.toml")
    (tmp_path / "board.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(RigError, match="is no TOML"):
        read_board_file(tmp_path / "board.toml")


def test_an_empty_file_lacks_everything(tmp_path: Path) -> None:
    with pytest.raises(RigError) as caught:
        read_board_file(write(tmp_path, ""))
    for key in ("name", "kind", "ssh", "processors"):
        assert f"line 1: '{key}' is a required property" in caught.value.remedy


def test_a_labgrid_board_takes_its_lines_from_labgrid(tmp_path: Path) -> None:
    text = LEAST.replace('"remote"', '"labgrid"').replace('host = "b"\n', "")
    with pytest.raises(RigError) as caught:
        read_board_file(write(tmp_path, text + '[power]\non = ["x"]\noff = ["x"]\n'))
    assert "line 1: 'labgrid' is a required property" in caught.value.remedy
    assert "line 7: power: does not belong into a board of this kind" in caught.value.remedy


@pytest.mark.parametrize(
    ("chosen", "workers", "says"),
    [
        (["qemu", "a.toml"], 1, "choose one kind"),
        (["a.toml", "a.toml"], 2, "names a file twice"),
        (["a.toml"], 2, "2 workers, but --board names 1"),
    ],
)
def test_boards_are_for_one_worker_each(chosen: list[str], workers: int, says: str) -> None:
    with pytest.raises(pytest.UsageError, match=says):
        board_files(chosen, workers)


def test_workers_and_their_boards() -> None:
    assert board_files(None, 4) == []
    assert board_files(["qemu"], 4) == []
    assert [file.name for file in board_files(["a.toml", "b.toml"], 2)] == ["a.toml", "b.toml"]


def test_a_worker_in_a_dead_one_s_place_gets_the_board_nobody_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as runs:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runs)
        files = []
        for name in ("first", "second"):
            (tmp_path / name).mkdir()
            files.append(str(write(tmp_path / name, LEAST.replace('"b"', f'"{name}"'))))
        alive = Lease("first", read_board_file(Path(files[0])).address)
        alive.take_here()
        assert [worker(files, number).remote().name for number in (0, 1, 2)] == ["first", "second", "second"]
        alive.release()
        assert worker(files, 2).remote().name == "first"


def worker(files: list[str], number: int) -> Assignment:
    """Of two; with a double of pytest's configuration."""
    config = SimpleNamespace(
        workerinput={"workerid": f"gw{number}", "workercount": 2},
        getoption=lambda name, *_: {"--board": files}.get(name),
    )
    return Assignment(cast(pytest.Config, config))
