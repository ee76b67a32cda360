"""Completion as a shell meets it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_hil.__main__ import run


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH whose `hil` is the one under test."""
    program = tmp_path / "hil"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hybrid_hil "$@"\n')
    program.chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


def completed(path: str, *words: str) -> list[str]:
    """What bash offers for the last of `words`."""
    line = " ".join(f"'{word}'" for word in words)
    script = f"""eval "$(hil completion bash)"
COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _hil_completion hil; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(
        ["bash", "--norc", "-c", script], check=True, capture_output=True, text=True, env={"PATH": path}
    )
    return done.stdout.split()


def test_bash_completes_verbs_options_and_values(path: str) -> None:
    assert completed(path, "hil", "do") == ["doctor"]
    assert completed(path, "hil", "boot", "--wait") == ["--wait-gdb"]
    assert completed(path, "hil", "demo", "--layout", "o") == ["one-core"]
    assert completed(path, "hil", "image", "cl") == ["clean"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_are_the_shell_s_own(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_HIL_COMPLETE={shell}_complete" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed: its script is not parsed")
    file = tmp_path / "script"
    file.write_text(script)
    assert subprocess.run([program, "-n", file], check=False).returncode == 0


def test_other_shells_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", "tcsh"]) == 2
    assert "`bash`, `zsh`, `fish`" in capsys.readouterr().err
