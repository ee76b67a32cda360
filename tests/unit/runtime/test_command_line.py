"""Options, help screens, versions and refusals of the command line."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.command.help import of_verb, overview
from hybrid_runtime.command.kill import signal_number
from hybrid_runtime.command.options import Option, parse, salvage
from hybrid_runtime.command.table import REFUSED_VERBS, VERBS, find_verb
from hybrid_runtime.lifecycle.starting import refusal, telling
from hybrid_runtime.system.failure import Failure
from tests.unit.runtime.command_runner import Command, attempt
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

OVERVIEW = """\
Deploy an application across available embedded cores.

Usage: hybrid-runtime <COMMAND>

Commands:
  create  Create a container
  start   Start a created container
  state   Output the state of a container
  kill    terminates the container
  delete  Deletes any resources held by the container
  logs    Fetch the logs of a running container
  help    Print this message or the help of the given subcommand(s)

Options:
  -h, --help     Print help
  -V, --version  Print version
"""
CREATE = """\
Create a container

Usage: hybrid-runtime create <IMAGE> <CONTAINER_ID>

Arguments:
  <IMAGE>         Firmware container image name
  <CONTAINER_ID>  container ID name for the instance of the container that you are starting. \
The name you provide for the container instance must be unique on your host

Options:
  -h, --help                 Print help
"""
START = """\
Start a created container

Usage: hybrid-runtime start <CONTAINER_ID>

Arguments:
  <CONTAINER_ID>  container ID

Options:
  -h, --help  Print help
"""
LOGS = """\
Fetch the logs of a running container

Usage: hybrid-runtime logs <CONTAINER_ID>

Arguments:
  <CONTAINER_ID>  Container ID Name of the container

Options:
  -h, --help  Print help
"""
DELETE = """\
Deletes any resources held by the container

Usage: hybrid-runtime delete [OPTIONS] <CONTAINER_ID>

Arguments:
  <CONTAINER_ID>  container ID

Options:
  -f, --force  Forcibly deletes the container if it is still running (using SIGKILL)
  -h, --help   Print help
"""
# Further options widen the columns of these two screens.
WIDER = {"  -h, --help                 Print help", "  -h, --help  Print help"}


def check_lines(expected: str, actual: str) -> None:
    """Every expected line is there, in order; more may stand between."""
    lines = iter(actual.splitlines())
    for line in expected.splitlines():
        wanted = line.split() if line in WIDER else line
        assert any((found.split() if line in WIDER else found) == wanted for found in lines), f"missing: {line!r}"


def test_first_screen() -> None:
    check_lines(OVERVIEW, overview())


@pytest.mark.parametrize(
    ("name", "expected"), [("create", CREATE), ("start", START), ("logs", LOGS), ("delete", DELETE)]
)
def test_help_of_a_verb(name: str, expected: str) -> None:
    verb = find_verb(name)
    assert verb is not None
    check_lines(expected, of_verb(verb))


@pytest.mark.parametrize("argv", [(), ("-h",), ("--help",), ("help",)])
def test_ways_to_the_first_screen(command: Command, argv: tuple[str, ...]) -> None:
    outcome = command.run(*argv)
    assert outcome.stdout == overview()
    assert outcome.stderr == ""


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS])
def test_help_verb_equals_verb_help(command: Command, verb: str) -> None:
    text = command.run("help", verb).stdout
    assert text == command.run(verb, "--help").stdout
    assert f"Usage: hybrid-runtime {verb}" in text


@pytest.mark.parametrize("option", ["--version", "-V", "-v"])
def test_version(command: Command, option: str) -> None:
    outcome = command.run(option)
    first, second, third = outcome.stdout.splitlines()
    assert first == "hybrid-runtime version 0.2.0"
    assert second.startswith("commit: ")
    assert third == "spec: 1.3.0"
    assert outcome.stderr == ""


REFUSALS = {
    "exec": ("--process", "/p.json", "--detach", "--pid-file", "/x.pid", "--tty", "--console-socket", "/s", "motor"),
    "pause": ("motor",),
    "resume": ("motor",),
    "run": ("--bundle", "/b", "--detach", "motor"),
    "spec": ("--bundle", "/b", "--rootless"),
    "version": (),
    "checkpoint": ("--image-path", "/i", "--work-path", "/w", "--leave-running", "motor"),
    "restore": ("--bundle", "/b", "--image-path", "/i", "-d", "motor"),
    "events": ("--stats", "--interval", "5s", "motor"),
    "attach": ("motor",),
}


@pytest.mark.parametrize("verb", sorted(REFUSED_VERBS))
def test_verbs_without_an_answer(command: Command, tmp_path: Path, verb: str) -> None:
    """Called as engines do: the refusal, and no word about options."""
    outcome = command.run("--log", tmp_path / "log", "--log-format", "json", verb, *REFUSALS[verb], code=1)
    message = f"`{verb}` is not supported ({REFUSED_VERBS[verb]})"
    assert outcome.stderr == f"hybrid-runtime: {message}\n"
    assert outcome.stdout == ""
    assert json.loads((tmp_path / "log").read_text())["msg"] == message
    assert command.run("help", verb, code=1).stderr == outcome.stderr


@pytest.mark.parametrize("verb", [verb.name for verb in VERBS if len(verb.arguments) > verb.optional_arguments])
def test_verbs_without_their_arguments(command: Command, tmp_path: Path, verb: str) -> None:
    """The help, as the page of the command line shows it for delete; but it is no success."""
    outcome = command.run("--log", tmp_path / "log", "--log-format", "json", verb, code=2)
    assert outcome.stderr == command.run(verb, "--help").stdout
    assert outcome.stdout == ""
    assert json.loads((tmp_path / "log").read_text())["msg"] == f"`{verb}` was called without arguments"


def test_warn_is_another_word_for_warning(command: Command) -> None:
    assert "container does not exist" in command.run("--log-level", "warn", "state", "x", code=1).stderr


@pytest.mark.parametrize(
    "argv",
    [
        ("frobnicate",),
        ("--frobnicate", "state", "x"),
        ("state", "a", "b"),
        ("state", "--frobnicate", "x"),
        ("kill", "x", "15", "9"),
        ("create", "a", "b", "c"),
        ("create", "--pid-file"),
        ("create", "-b", "b", "image", "x"),
        ("create", "--annotation", "a=b", "x"),
        ("delete", "--force=maybe", "x"),
        ("help", "frobnicate"),
        ("logs", "-n", "many", "x"),
        ("--log-format", "xml", "state", "x"),
        ("--log-level", "loud", "state", "x"),
        ("processors", "-f", "xml"),
        ("list", "-f", "xml"),
        ("list", "x"),
        ("ps", "-f", "xml", "x"),
        ("features", "x"),
        ("update", "--memory"),
        ("update", "--frobnicate", "x"),
    ],
)
def test_command_lines_that_are_not_understood(command: Command, argv: tuple[str, ...]) -> None:
    if argv[0] == "logs":
        assert command.run(*argv, code=2).stderr.startswith("hybrid-runtime: --tail `many`")
        return
    outcome = command.run(*argv, code=2)
    assert outcome.stderr.startswith("hybrid-runtime: ")
    assert outcome.stderr.endswith("--help` shows what is understood)\n")
    assert outcome.stdout == ""


def test_command_lines_of_other_runtimes(command: Command) -> None:
    accepted = (
        "--systemd-cgroup",
        "--rootless=auto",
        "--criu",
        "/bin/criu",
        "--cgroup-manager=disabled",
        "--debug=false",
    )
    assert "container does not exist" in command.run(*accepted, "state", "x", code=1).stderr


@pytest.mark.parametrize(
    ("argv", "values", "arguments", "rest"),
    [
        (["--key", "v", "verb", "--key"], {"key": ["v"]}, [], ["verb", "--key"]),
        (["--key=v=w"], {"key": ["v=w"]}, [], []),
        (["-k", "v", "-kw", "-k=x"], {"key": ["v", "w", "x"]}, [], []),
        (["--key="], {"key": [""]}, [], []),
        (["-s", "--", "-s"], {"switch": [""]}, [], ["-s"]),
        (["--", "verb", "--", "x"], {}, [], ["verb", "--", "x"]),
        (["--"], {}, [], []),
        (["--switch=true"], {"switch": ["true"]}, [], []),
        (["--switch", "--switch=false"], {}, [], []),
        (["-"], {}, [], ["-"]),
    ],
)
def test_parse(argv: list[str], values: dict[str, list[str]], arguments: list[str], rest: list[str]) -> None:
    options = [Option("-k, --key", "VALUE"), Option("-s, --switch")]
    found, left = parse(argv, options, stop_at_argument=True)
    assert (found.options, found.arguments, left) == (values, arguments, rest)


def test_after_two_dashes_comes_the_verb(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    command.run("--", "kill", "motor", "KILL")
    assert command.exit_code(pid) == 137
    assert core.state == "offline"
    command.run("--", "delete", "--", "motor")
    assert "unknown command `--version`" in command.run("--", "--version", code=2).stderr
    assert command.run("--").stdout == overview()


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (("--procesor", "core0"), "unknown option `--procesor`"),
        (("--procesor=core0",), "unknown option `--procesor`"),
        (("--debug=maybe",), "true or false, not `maybe`"),
        (("--log-level", "loud"), "--log-level `loud`"),
        (("-x",), "unknown option `-x`"),
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_a_mistyped_option_is_told_in_the_log(
    command: Command, tmp_path: Path, mistake: tuple[str, ...], words: str, joined: bool
) -> None:
    """runtimeArgs of an engine come first, and its shim shows nothing but the log that it names behind them."""
    log = tmp_path / "log.json"
    options = [("--root", str(tmp_path / "root")), ("--log", str(log)), ("--log-format", "json")]
    words_of_the_shim = ["=".join(option) for option in options] if joined else [word for o in options for word in o]
    outcome = command.run(*mistake, *words_of_the_shim, "create", "--bundle", tmp_path, "motor", code=2)
    told = json.loads(log.read_text())
    assert (told["level"], outcome.stderr) == ("error", f"hybrid-runtime: {told['msg']}\n")
    assert words in told["msg"]


def test_a_format_of_the_log_that_is_none(command: Command, tmp_path: Path) -> None:
    command.run("--log", tmp_path / "log", "--log-format", "xml", "state", "x", code=2)
    assert "level=error" in (tmp_path / "log").read_text()


@given(st.lists(st.text(alphabet="-=ksx ", max_size=6), max_size=6))
def test_what_is_salvaged_was_said(argv: list[str]) -> None:
    for name, value in salvage(argv, ("--k", "-s")).items():
        assert f"{name}={value}" in argv or (name, value) in pairwise(argv)


@given(st.lists(st.text(alphabet="-=ksx ", max_size=6), max_size=6), st.booleans())
def test_parse_only_fails_with_a_usage_error(argv: list[str], stop: bool) -> None:
    options = [Option("-k, --key", "VALUE"), Option("-s, --switch")]
    outcome = attempt(lambda: parse(argv, options, stop_at_argument=stop), Failure)
    if isinstance(outcome, Failure):
        assert outcome.code == 2
    else:
        values, rest = outcome
        assert len(values.arguments) + len(rest) <= len(argv)
        assert set(values.options) <= {"key", "switch"}


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("15", 15), ("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("kill", 9), ("9", 9), ("Usr1", 10), ("64", 64)),
        *(("SIGRTMIN", 34), ("RTMIN", 34), ("SIGRTMIN+0", 34), ("rtmin+3", 37), ("SIGRTMIN+30", 64)),
        *(("SIGRTMAX", 64), ("RTMAX-0", 64), ("SIGRTMAX-14", 50), ("SIGRTMAX-30", 34)),
    ],
)
def test_signal_names(text: str, number: int) -> None:
    assert signal_number(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "65",
        "999999999999",
        "0000000000015",
        "SIG",
        "FOO",
        "_IGN",
        "SIG_IGN",
        "_UNBLOCK",
        "SIG_SETMASK",
        *("RTMIN+31", "RTMAX-31", "RTMIN-1", "RTMAX+1", "RTMIN+", "RTMIN+x", "RTMIN+²", "RTMIN3", "SIGSIGRTMIN+1"),
        *("RTMIN+99999999999", "TERM+1"),
        "²",
        "1.5",
    ],
)
def test_what_is_no_signal(text: str) -> None:
    with pytest.raises(Failure, match="is not a signal"):
        signal_number(text)


def test_usage_errors_come_before_anything_is_touched(command: Command, tmp_path: Path) -> None:
    command.run("create", "--frobnicate", tmp_path / "x", "y", code=2)
    assert not command.double.root.exists()


LINES_OF_A_START = (
    "remoteproc remoteproc0: powering up 10000.r5f",
    "remoteproc remoteproc0: Booting fw image motor.elf, size 4484",
    "remoteproc remoteproc0: bad phdr da 0x90000000 mem 0x6b8",
    "remoteproc remoteproc0: Failed to load program segments: -22",
    "remoteproc remoteproc0: Boot failed: -22",
)


def test_the_kernel_s_reason_in_few_words() -> None:
    assert telling(list(LINES_OF_A_START)) == [
        "bad phdr da 0x90000000 mem 0x6b8",
        "Failed to load program segments: -22",
    ]
    # Where it says nothing else, what it says is told.
    assert telling([LINES_OF_A_START[0], LINES_OF_A_START[4]]) == ["powering up 10000.r5f", "Boot failed: -22"]
    assert telling([]) == []
    assert len(telling([f"remoteproc remoteproc0: reason {number}" for number in range(99)])) == 4


@pytest.mark.parametrize("argument", ["motor.elf", "./motor.elf", "nowhere/motor.elf", "oci:folder"])
def test_create_without_an_id(command: Command, tmp_path: Path, argument: str) -> None:
    (tmp_path / "motor.elf").write_bytes(b"")
    error = command.run("create", argument, code=2, cwd=tmp_path).stderr
    assert f"no container id is given for `{argument}`: `hybrid-runtime create {argument} NAME`" in error


def test_create_in_a_bundle_s_folder(command: Command, tmp_path: Path) -> None:
    """There one argument is the id, also when a file is called so."""
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "motor").write_bytes(b"")
    assert "ociVersion is `None`" in command.run("create", "motor", code=1, cwd=tmp_path).stderr


def test_what_start_says_of_an_answer() -> None:
    """The remedy comes last. A supervisor of an older version has it within its message."""
    answer = {"ok": False, "message": "cannot x", "remedy": "do y", "kernel": ["remoteproc remoteproc0: bad phdr"]}
    assert str(refusal(answer)) == "cannot x; the kernel says: bad phdr (do y)"
    assert str(refusal({"ok": False, "message": "cannot x: do y", "kernel": []})) == "cannot x: do y"
    assert str(refusal({"ok": False})) == "the supervisor gave no reason"


def test_a_mistyped_firmware_is_asked_of_no_engine(command: Command, double: RemoteprocDouble) -> None:
    double.add("core0")
    refused = command.run("create", "nope.elf", "x", code=1).stderr
    assert refused.startswith("hybrid-runtime: `nope.elf`: file not found (correct the path; an image of that name is ")
    assert double.leftovers() == []
