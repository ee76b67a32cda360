"""Commands and files over the one SSH connection of a board."""

import os
import threading
import time
from dataclasses import replace

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_CLOSE

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND, DIGESTS, FOLDER, deploy, runtime_payload
from hybrid_hil.device.proof import UnprovenError, Witness
from hybrid_hil.device.runtime import DeployedRuntime
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import CommandError, Shell

HELD_UP_S = 0.5


def test_arguments_arrive_as_they_are(shell: Shell) -> None:
    words = ["a b", "c;d", "$HOME", "`id`", "'", '"', "\\", "", "ä", "new\nline"]
    assert shell.run(["printf", "%s|", *words]).stdout == "".join(f"{word}|" for word in words)


def test_a_string_is_the_board_s_shell_s(shell: Shell) -> None:
    assert shell.run("echo $((6 * 7)) | tr 4 5").stdout == "52\n"


@pytest.mark.parametrize(("command", "status"), [("exit 7", 7), ("sh -c 'kill -9 $$'", 137), ("kill -9 $$", -1)])
def test_exit_statuses(shell: Shell, command: str, status: int) -> None:
    assert shell.run(command, check=False).exit_status == status
    with pytest.raises(CommandError) as caught:
        shell.run(command)
    assert caught.value.completed.exit_status == status


def test_both_outputs_may_be_long(shell: Shell) -> None:
    done = shell.run("seq 60000; seq 60000 >&2", deadline=Deadline(60))
    everything = "".join(f"{number}\n" for number in range(1, 60001))
    assert done.stdout == everything
    assert done.stderr == everything


def test_input_that_nobody_reads_is_no_error(shell: Shell) -> None:
    assert shell.run("true", stdin=b"x" * 3_000_000).exit_status == 0


@pytest.mark.parametrize("stdin", [None, b"unread"])
def test_no_message_comes_after_the_end_of_a_command(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, stdin: bytes | None
) -> None:
    """dropbear would end the connection. A thread of ours may be held up at any point on a busy host."""
    in_time = paramiko.Transport._send_user_message  # type: ignore[attr-defined]

    def held_up(transport: paramiko.Transport, message: paramiko.Message) -> None:
        if message.asbytes()[0] != MSG_CHANNEL_CLOSE:
            time.sleep(HELD_UP_S)
        in_time(transport, message)

    monkeypatch.setattr(paramiko.Transport, "_send_user_message", held_up)
    assert shell.run("true", stdin=stdin).exit_status == 0
    assert shell.run("echo there").stdout == "there\n"


def test_files_come_back_as_they_went(shell: Shell) -> None:
    content = os.urandom(300_000) + b"\0\r\n\x04"
    shell.put(content, "/tmp/rig test/deep/file", mode=0o640)
    assert shell.get("/tmp/rig test/deep/file") == content
    assert shell.run(["stat", "-c", "%a", "/tmp/rig test/deep/file"]).stdout == "640\n"
    assert shell.run(["ls", "/tmp/rig test/deep"]).stdout == "file\n"
    shell.run(["rm", "-r", "/tmp/rig test"])
    with pytest.raises(CommandError, match="No such file"):
        shell.get("/tmp/rig test/deep/file")


def test_commands_may_run_side_by_side(shell: Shell) -> None:
    results: list[str] = []

    def ask(word: str) -> None:
        results.append(shell.run(["sh", "-c", f"sleep 0.3; echo {word}"]).stdout)

    threads = [threading.Thread(target=ask, args=[word]) for word in ("one", "two", "three")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["one\n", "three\n", "two\n"]


def test_a_parcel_damaged_on_its_way_leaves_the_old_runtime(shell: Shell) -> None:
    good = runtime_payload(checkout_root() / "runtime")
    damaged = replace(good, tar=good.tar.replace(b"import", b"IMPORT", 1))
    before = shell.run(f"sha256sum {FOLDER}/{DIGESTS}").stdout
    with pytest.raises(CommandError):
        deploy(shell, damaged, Deadline(60))
    assert shell.run(f"sha256sum {FOLDER}/{DIGESTS}").stdout == before
    assert shell.run([COMMAND, "--version"]).exit_status == 0
    shell.run(f"rm -rf {FOLDER}.new")


def test_a_deployed_runtime_is_compiled_beside_its_sources(shell: Shell) -> None:
    sources = shell.run(f"find {FOLDER}/hybrid_runtime -name '*.py' | wc -l").stdout
    compiled = shell.run(f"find {FOLDER}/hybrid_runtime -name '*.pyc' | wc -l").stdout
    assert int(sources) == int(compiled) > 10


def test_a_nonce_nobody_spoke_is_no_proof(
    board: Board, firmware: FirmwareMaker, runtime: DeployedRuntime, witness: Witness
) -> None:
    """Another firmware's run, with the right words and the wrong nonce, proves nothing about this one."""
    spoken, unspoken = firmware("hello"), firmware("hello")
    runtime.create("spoken", spoken)
    since = board.core_console.mark()
    runtime.start("spoken")
    witness.started(spoken, Deadline(10), since)
    with pytest.raises(UnprovenError, match="nonce on the core's console"):
        witness.started(unspoken, Deadline(0.5), since)
    with pytest.raises(UnprovenError, match="nonce in the container's logs"):
        witness.logged(runtime.logs("spoken"), unspoken)
    runtime.delete("spoken", force=True)


def test_a_core_that_goes_on_is_not_silent(firmware: FirmwareMaker, runtime: DeployedRuntime, witness: Witness) -> None:
    heartbeat = firmware("heartbeat")
    runtime.create("alive", heartbeat)
    runtime.start("alive")
    witness.started(heartbeat, Deadline(10))
    witness.beating(heartbeat, Deadline(10))
    with pytest.raises(UnprovenError, match=f"still says `{heartbeat.speaker} beat="):
        witness.silent(heartbeat)
    runtime.delete("alive", force=True)
