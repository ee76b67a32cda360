"""The command line as a person meets it."""

import pytest

from hybrid_hil.__main__ import run
from hybrid_hil.cli import VerbGroup, hil
from hybrid_hil.command.test import again, last_words

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
    assert "No such command" in capsys.readouterr().err


def test_a_failure_shows_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--image", "/nowhere"]) == 1
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
