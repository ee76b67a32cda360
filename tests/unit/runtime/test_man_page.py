"""The man page and the table of the command line say the same."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hybrid_runtime import VERSION
from hybrid_runtime.bundle import annotations
from hybrid_runtime.command.options import Option
from hybrid_runtime.command.table import (
    ACCEPTED_GLOBAL_OPTIONS,
    EXIT_CODES,
    FURTHER_GLOBAL_OPTIONS,
    GLOBAL_OPTIONS,
    REFUSED_VERBS,
    VERBS,
    Verb,
)
from hybrid_runtime.container.container import KILLED_CODE
from hybrid_runtime.supervisor import verdict

PAGE = Path(__file__).resolve().parents[3] / "runtime/man/hybrid-runtime.8"
SOURCE = PAGE.read_text(encoding="ascii")


def plain(text: str) -> str:
    """Without fonts and escaped characters."""
    return re.sub(r"\\f[BIR]", "", text).replace(r"\-", "-").replace(r"\(aq", "'")


def section(title: str, macro: str) -> str:
    found = re.search(rf"^\.{macro} {re.escape(title)}\b.*?\n(.*?)(?=^\.S[HS] |\Z)", SOURCE, re.MULTILINE | re.DOTALL)
    assert found, f"no {macro} {title}"
    return found[1]


def tagged(text: str) -> set[str]:
    """The tags of .TP that are options."""
    tags = re.findall(r"^\.TP\n(.*)$", text, re.MULTILINE)
    return {plain(tag) for tag in tags if plain(tag).startswith("-")}


def shown(options: tuple[Option, ...]) -> set[str]:
    return {
        ", ".join(option.names) + (f" {option.value}" if option.value else "")
        for option in options
        if not option.ignored
    }


def test_global_options() -> None:
    assert tagged(section("GLOBAL OPTIONS", "SH")) == shown((*GLOBAL_OPTIONS, *FURTHER_GLOBAL_OPTIONS))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_options_and_arguments_of_a_verb(verb: Verb) -> None:
    assert tagged(section(verb.name, "SS")) == shown(verb.options)
    (heading,) = re.findall(rf"^\.SS ({verb.name}\b.*)$", SOURCE, re.MULTILINE)
    words = plain(heading).split()[1:]
    arguments = [word.strip("[]") for word in words if word != "[options]"]
    assert arguments == [name.strip("<>[]") for name, _ in verb.arguments]
    assert ("[options]" in words) == bool(shown(verb.options))


def test_no_verb_that_is_none() -> None:
    commands = SOURCE.partition(".SH COMMANDS")[2].partition(".SH IMAGES")[0]
    assert re.findall(r"^\.SS (\S+)", commands, re.MULTILINE) == [verb.name for verb in VERBS]


def test_what_is_accepted_and_refused() -> None:
    text = plain(section("COMPATIBILITY", "SH"))
    words = set(re.findall(r"[\w-]+", text))
    for verb in VERBS:
        if verb.name != "update":
            assert {option.names[-1] for option in verb.options if option.ignored} <= words
    # -v is --version by another name, and --sysroot is for tests.
    hidden = {"-v", "--sysroot"}
    assert {option.names[-1] for option in ACCEPTED_GLOBAL_OPTIONS} - hidden <= words
    assert set(REFUSED_VERBS) <= words


def test_annotations_and_exit_codes() -> None:
    named = set(re.findall(r"remoteproc\.[a-z0-9.-]*[a-z0-9]", plain(section("ANNOTATIONS", "SH"))))
    assert named == annotations._KNOWN
    endings = [value for value in vars(verdict).values() if isinstance(value, verdict.ExitReason)]
    codes = (
        {str(ending.code) for ending in endings}
        | {code for code, _ in EXIT_CODES}
        | {str(verdict.BROKEN_CODE), str(KILLED_CODE)}
    )
    assert set(re.findall(r"^\.B (\d+)$", section("EXIT STATUS", "SH"), re.MULTILINE)) == codes


def test_version() -> None:
    assert f'"hybrid-runtime {VERSION}"' in plain(SOURCE)


@pytest.mark.parametrize("checker", [("groff", "-man", "-ww", "-z"), ("mandoc", "-T", "lint", "-W", "all")])
def test_the_page_is_clean(checker: tuple[str, ...]) -> None:
    if shutil.which(checker[0]) is None:
        pytest.skip(f"{checker[0]} is not installed: the page's macros are not checked")
    checked = subprocess.run([*checker, str(PAGE)], capture_output=True, text=True, check=False)
    assert (checked.stdout, checked.stderr, checked.returncode) == ("", "", 0)
