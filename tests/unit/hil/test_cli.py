"""The command line as a person meets it."""

import pytest

from hybrid_hil.__main__ import run
from hybrid_hil.cli import VerbGroup, hil
from hybrid_hil.command.test import again, last_words, seconds_of

VERBS = [
    "boot",
    "bringup",
    "completion",
    "demo",
    "deploy",
    "doctor",
    "image",
    "nightly",
    "qemu",
    "report",
    "ssh",
    "test",
]


def test_every_verb_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert isinstance(hil, VerbGroup)
    for verb in VERBS:
        assert f"\n  {verb} " in shown


@pytest.mark.parametrize("verb", ["boot", "bringup", "demo", "deploy", "nightly", "qemu", "report", "ssh", "test"])
def test_every_verb_has_examples_and_exit_codes(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"\n    hil {verb}" in shown
    assert "Exit codes" in shown


def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["fly"]) == 2
    shown = capsys.readouterr().err
    assert "error: no such command `fly`\n" in shown
    assert "remedy: `hil --help` shows what it takes" in shown


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nightly", "--bound", "x"], "invalid value for `--bound`: `x` is no number"),
        (["nightly", "--list", "--read"], "--list and --read exclude each other"),
        (["nightly", "--report", "/proc/no/such"], "results cannot go to `/proc/no/such`: No such file"),
        (["bringup", "--board", "b", "--firmware", "f", "--report", __file__], "File exists"),
        (["boot", "--board", "b.toml", "--layout", "one-core"], "--layout is for emulated boards"),
        (["boot", "--board", "b.toml", "--wait-gdb"], "--wait-gdb is for emulated boards"),
        (["boot", "--board", "b.toml"], "the board file `b.toml` cannot be read: No such file"),
        (["demo", "--qemu", ""], "--qemu is empty"),
        (["demo", "--image", ""], "--image is empty"),
        (["demo", "--image", "debian+dock"], "no engine `dock`"),
        (["image", "build", "--defconfig", "x"], "are for Buildroot images"),
        (["ssh", "--imag", "debian"], "no such option `--imag`"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_is_told_before_anything_begins(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    shown = capsys.readouterr().err
    assert says in shown
    assert "remedy: " in shown


def test_a_failure_shows_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--image", "/nowhere"]) == 2
    shown = capsys.readouterr().err
    assert "error: " in shown
    assert "remedy: " in shown


def test_last_words_are_the_tool_s_not_tox_s() -> None:
    lines = [
        "...",
        "===== 12 passed in 3.1s =====",
        "  unit: OK (4.50 seconds)",
        "  congratulations :) (4.60 seconds)",
        "",
    ]
    assert last_words(lines) == "12 passed in 3.1s"
    assert (
        last_words(
            [
                "error: x",
                "unit: exit 4 (2.26 seconds) /work> pytest",
                "  unit: FAIL code 1 (2 s)",
                "  evaluation failed :( (2 s)",
            ]
        )
        == "error: x"
    )
    assert last_words([]) == ""


@pytest.mark.parametrize(
    ("failed", "for_pytest", "command"),
    [
        (["lint", "hil"], (), ".venv/bin/tox run -e lint,hil"),
        (["hil"], ("-k", "a b"), "./rig test -- -k 'a b'"),
        (["unit"], ("--image", "/i"), ".venv/bin/tox run -e unit"),
        (["unit", "hil"], ("--image", "/i"), ".venv/bin/tox run -e unit && ./rig test -- --image /i"),
    ],
)
def test_only_what_failed_is_said_again(failed: list[str], for_pytest: tuple[str, ...], command: str) -> None:
    assert again(failed, for_pytest) == command


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("  congratulations :) (327.74 seconds)", 327.74),
        ("  evaluation failed :( (1.08 seconds)", 1.08),
        ("  lint: OK (2.00=setup[1.00]+cmd[1.00] seconds)", 0.0),
    ],
)
def test_tox_tells_how_long_it_took(line: str, seconds: float) -> None:
    assert seconds_of(["  said: (9.00 seconds)", line, "after it"]) == seconds
