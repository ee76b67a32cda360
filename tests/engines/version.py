"""Versions of engines, for tests of what only later ones have."""

import re

import pytest

from hybrid_hil.shell import Shell

# How each tells its own.
QUESTIONS = {
    "podman": "podman version --format '{{.Client.Version}}'",
    "docker": "docker version --format '{{.Server.Version}}'",
    "containerd": "containerd --version | cut -d ' ' -f 3",
}


def version_of(shell: Shell, engine: str) -> tuple[int, int]:
    """Major and minor."""
    told = shell.run(QUESTIONS[engine]).stdout
    found = re.search(r"(\d+)\.(\d+)", told)
    assert found, told
    return int(found[1]), int(found[2])


def skip_before(shell: Shell, engine: str, *wanted: int) -> None:
    """Ends the test as skipped on an engine that is older."""
    version = version_of(shell, engine)
    if version < wanted:
        here, needed = (".".join(map(str, numbers)) for numbers in (version, wanted))
        pytest.skip(f"{engine} {here} is older than {needed}")
