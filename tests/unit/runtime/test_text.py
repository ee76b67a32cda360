"""What strangers choose the words of never reaches a person's terminal raw, nor fills it."""

import ast
import json
import os
import pty
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hybrid_runtime.command.doctor import _lines
from hybrid_runtime.container.log import ContainerLog
from hybrid_runtime.setup.doctor.finding import Finding
from hybrid_runtime.supervisor.output import Output
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import LONGEST_LINE, LONGEST_VALUE, message_line, printable, visible
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

PACKAGE = Path(__file__).resolve().parents[3] / "runtime/hybrid_runtime"
# Clears the screen, sets the title, ends the line, forges a message, turns the direction of writing, and is long.
HOSTILE = "a\x1b[2J\x1b]0;t\x07\r\nhybrid-runtime: fine\x9b31m\u202eb`" + "long " * 2000
# Control characters, formats such as the direction of writing, halves of pairs, ends of lines and paragraphs.
ACTED_ON = ("Cc", "Cf", "Cs", "Zl", "Zp")
texts = st.text(st.characters(), max_size=300) | st.text(st.sampled_from("`\x1b\n\x9b\u202e\ud800 a"), max_size=9000)


def is_harmless(text: str) -> bool:
    return not any(unicodedata.category(character) in ACTED_ON for character in text)


def check_said(said: str) -> None:
    """Lines of ours, each within the bound."""
    for line in said.removesuffix("\n").split("\n"):
        assert is_harmless(line), line
        assert len(line) <= LONGEST_LINE + len("hybrid-runtime: warning: ")
        assert line.startswith("hybrid-runtime: "), line
        assert not line.startswith("hybrid-runtime: fine"), "forged"


@given(texts, st.integers(1, 500))
def test_printable(text: str, longest: int) -> None:
    shown = printable(text, longest)
    assert is_harmless(shown)
    assert len(shown) <= longest
    assert printable(shown, longest) == shown


@given(texts)
@example("`" * 100_000)
@example("`" + "x" * 10_000_000 + "` is no value")
def test_message_line(text: str) -> None:
    shown = message_line(text)
    assert is_harmless(shown)
    assert len(shown) <= LONGEST_LINE
    assert message_line(shown) == shown


def test_what_is_said_of_a_long_value_is_still_there() -> None:
    failure = Failure(f"the annotation `{'x' * 1_000_000}` is not known", f"use one of `{'y' * 1_000_000}`, or none")
    message, _, remedy = str(failure).partition(" (use one of ")
    assert message.endswith("…` is not known")
    assert remedy.endswith("…`, or none)")
    assert len(str(failure)) < 3 * LONGEST_VALUE


@given(texts, texts)
def test_failures_are_one_bounded_line(message: str, remedy: str) -> None:
    shown = str(Failure(message, remedy))
    assert is_harmless(shown)
    assert len(shown) <= LONGEST_LINE
    if remedy:
        assert shown.endswith(")")


def test_escapes() -> None:
    assert visible("a\x1b[1m\n\t\x9b\u202e\udcff\U000e0001é日") == r"a\x1b[1m\n\t\x9b\u202e\xff\U000e0001é日"
    assert visible("a\tb\n", kept="\t") == "a\tb\\n"


Change = Callable[[str], dict[str, object]]
BUNDLES: dict[str, Change] = {
    "ociVersion": lambda text: {"ociVersion": text},
    "annotation": lambda text: {"annotations": {f"remoteproc.{text}": "x"}},
    "value": lambda text: {"annotations": {"remoteproc.recovery": text}},
    "other value": lambda text: {"annotations": {text: 7}},
    "logs": lambda text: {"annotations": {"remoteproc.logs": f"trace,rpmsg:{text}"}},
    "sha256": lambda text: {"annotations": {"remoteproc.firmware.sha256": text}},
    "processor": lambda text: {"annotations": {"remoteproc.name": text}},
    "device": lambda text: {"annotations": {"remoteproc.device": text}},
    "env": lambda text: {"process": {"args": ["/fw.elf"], "env": [f"REMOTEPROC_NAME={text}"]}},
    "args": lambda text: {"process": {"args": [f"/{text}"]}},
    "several args": lambda text: {"process": {"args": [text, text]}},
    "root": lambda text: {"root": {"path": text}},
    "hook": lambda text: {"hooks": {"createRuntime": [{"path": f"/{text}"}]}},
    "hook's words": lambda text: {
        "hooks": {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", 'printf "$0" >&2; exit 1', text]}]}
    },
    "hook's kind": lambda text: {"hooks": {text: 7}},
    "namespace": lambda text: {"linux": {"namespaces": [{"type": text}]}},
    "network": lambda text: {"linux": {"namespaces": [{"type": "network", "path": f"/{text}"}]}},
    "cgroup": lambda text: {"linux": {"cgroupsPath": f"{text}/.."}},
}


@pytest.mark.parametrize("place", BUNDLES)
def test_words_of_bundles(
    command: Command, double: RemoteprocDouble, firmware: Path, tmp_path: Path, place: str
) -> None:
    double.add("core0")
    bundle = write_bundle(tmp_path / "bundle", firmware, **BUNDLES[place](HOSTILE))
    outcome = command.run("--log", tmp_path / "log", "create", "--bundle", bundle, "motor", code=1)
    check_said(outcome.stderr)
    assert outcome.stderr.count("\n") == 1
    assert is_harmless((tmp_path / "log").read_text().replace("\n", ""))


LINES = {
    "verb": (HOSTILE,),
    "option": (f"--{HOSTILE}",),
    "root": ("--root", HOSTILE, "state", "x"),
    "log": ("--log", f"/{HOSTILE}", "state", "x"),
    "log format": ("--log-format", HOSTILE, "state", "x"),
    "id": ("state", HOSTILE),
    "signal": ("kill", "x", HOSTILE),
    "format": ("list", "--format", HOSTILE),
    "bundle": ("create", "--bundle", HOSTILE, "x"),
    "image": ("create", HOSTILE, "x"),
    "file": ("create", f"file:{HOSTILE}", "x"),
    "layout": ("create", f"oci:{HOSTILE}", "x"),
    "annotation": ("create", "--annotation", HOSTILE, "y", "x"),
    "engine": ("install", HOSTILE),
}


@pytest.mark.parametrize("place", LINES)
def test_words_of_the_command_line(command: Command, place: str) -> None:
    outcome = command.run(*LINES[place], code=None)
    assert outcome.code in (1, 2)
    check_said(outcome.stderr)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts.filter(lambda text: "\0" not in text))
def test_any_annotation(command: Command, tmp_path: Path, text: str) -> None:
    config = {"ociVersion": "1.0.2", "root": {"path": "/"}, "annotations": {f"remoteproc.{text}": text}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    outcome = command.forked("create", "--bundle", tmp_path, "motor")
    assert outcome.code == 1
    check_said(outcome.stderr)


def test_words_of_drivers(command: Command, double: RemoteprocDouble, firmware: Path) -> None:
    """A name and a firmware that a driver or another program has chosen: refusals, tables and findings."""
    core = double.add("core0", state="attached")
    core.write("name", HOSTILE[:3000])
    core.write("firmware", HOSTILE[:3000])
    check_said(command.run("create", firmware, "motor", code=1).stderr)
    for verb in ("processors", "doctor"):
        assert is_harmless(command.run(verb, code=None).stdout.replace("\n", ""))
        json.loads(command.run(verb, "--format", "json", code=None).stdout)


def test_findings_are_lines() -> None:
    title, remedy = _lines(Finding("warning", "a title", HOSTILE, "", HOSTILE)).removesuffix("\n").split("\n")
    assert is_harmless(title + remedy)
    assert max(len(title), len(remedy)) <= LONGEST_LINE + 20


@given(texts)
def test_what_the_supervisor_says(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    output = Output(ContainerLog(str(path)))
    output.supervisor(f"kernel: {text}")
    output.log.close()
    said = bytes(output.streams["stderr"].buffer).decode()
    assert said.count("\n") == 1
    assert is_harmless(said[:-1])
    assert len(said) <= LONGEST_LINE + 1


def shown_by_logs(command: Command, *options: str) -> tuple[str, bytes]:
    """What a terminal gets, and what a file gets."""
    master, slave = pty.openpty()
    streams = [(os.POSIX_SPAWN_DUP2, slave, descriptor) for descriptor in (1, 2)]
    pid = os.posix_spawn(command.launcher, command.argv("logs", *options, "motor"), {}, file_actions=streams)
    os.close(slave)
    assert os.waitpid(pid, 0)[1] == 0
    os.set_blocking(master, False)
    shown = os.read(master, 65536).decode()
    os.close(master)
    return shown.replace("\r\n", "\n"), command.run("logs", *options, "motor").stdout_path.read_bytes()


@pytest.mark.parametrize("options", [(), ("-t",)], ids=["plain", "timestamps"])
def test_firmware_on_a_terminal(
    command: Command, double: RemoteprocDouble, firmware: Path, options: tuple[str, ...]
) -> None:
    """A terminal is shown its control characters; a pipe and a file get its bytes."""
    double.add("core0")
    command.create(firmware, "motor")
    with (double.root / "motor/log").open("ab") as log:
        log.write("2026-01-01T00:00:00.0Z stdout F \x1b]0;t\x07a\tb\x9b2J é\r!\n".encode())
    shown, written = shown_by_logs(command, *options)
    time = "2026-01-01T00:00:00.0Z " if options else ""
    assert f"{time}\\x1b]0;t\\x07a\tb\\x9b2J é\\r!\n" in shown
    assert is_harmless(shown.replace("\n", "").replace("\t", ""))
    assert f"{time}\x1b]0;t\x07a\tb\x9b2J é\r!\n".encode() in written


def test_nobody_else_speaks() -> None:
    """Standard output and error are written in one place of the verbs and one of the supervisor."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            first = ast.unparse(node.args[0]) if node.args else ""
            if called in ("print", "sys.stderr.write", "sys.stdout.write") or (
                called in ("os.write", "write_all", "put") and first in ("1", "2")
            ):
                found.append(f"{path.relative_to(PACKAGE)} {called}({first}")
    assert sorted(found) == [
        "command/context.py put(1",
        "command/context.py put(2",
        "command/line.py put(2",
        "command/logs.py put(1",
        "command/logs.py put(2",
        # In a hook's process, to the pipe of whoever waits for it.
        "container/hook_run.py os.write(2",
    ]
