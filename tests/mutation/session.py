"""A session of cosmic-ray over one module, in a copy of the checkout: it changes the file in place."""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.checkout_copy import environment_in

# Each mutation may take so much longer than the tests without one; what takes longer counts as noticed.
TIMES = 5
LEAST_S = 15.0
# `|` of flags is the same number with `+` and `^`, and in an annotation neither can be imported.
LEFT_OUT = ("core/ReplaceBinaryOperator_BitOr_Add", "core/ReplaceBinaryOperator_BitOr_BitXor")
SHOWN_CHARACTERS = 3000
FILTER = "cosmic_ray.tools.filters.operators_filter"
# The property of a test's report that has the score.
SCORE = "score"
PYTEST = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--host-path")


@dataclass(frozen=True)
class Module:
    """A module to mutate, and the tests that have to notice."""

    path: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class Survivor:
    """A mutation that no test has noticed: the lines it takes away and the lines it puts there."""

    before: str
    after: str


@dataclass(frozen=True)
class Score:
    """What came of all mutations of a module."""

    mutations: int
    survivors: tuple[Survivor, ...]


def mutate(module: Module, copy: Path, folder: Path) -> Score:
    """Raises RuntimeError when the tests fail without a mutation, or cosmic-ray itself does."""
    environment = environment_in(copy) | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(folder / "tmp"),
    }
    (folder / "tmp").mkdir(exist_ok=True)
    command = [sys.executable, *PYTEST, *module.tests]
    begun = time.monotonic()
    _run(command, copy, environment)
    timeout = LEAST_S + TIMES * (time.monotonic() - begun)
    settings, session = folder / "settings.toml", folder / "session.sqlite"
    settings.write_text(_settings(module, command, timeout))
    tool = [sys.executable, "-m", "cosmic_ray.cli"]
    _run([*tool, "init", str(settings), str(session)], copy, environment)
    _run([sys.executable, "-m", FILTER, str(session), str(settings)], copy, environment)
    _run([*tool, "exec", str(settings), str(session)], copy, environment)
    return _score(_run([*tool, "dump", str(session)], copy, environment))


def _settings(module: Module, command: Sequence[str], timeout: float) -> str:
    return f"""[cosmic-ray]
module-path = {json.dumps(module.path)}
timeout = {timeout:.1f}
excluded-modules = []
test-command = {json.dumps(shlex.join(command))}
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = {json.dumps(LEFT_OUT)}
"""


def _run(command: Sequence[str], copy: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-SHOWN_CHARACTERS:]
        raise RuntimeError(f"`{shlex.join(command)}` ended with {done.returncode}:\n{said}")
    return done.stdout


def _score(dump: str) -> Score:
    results = [result for _, result in map(json.loads, dump.splitlines())]
    tried = [result for result in results if result["worker_outcome"] == "normal"]
    left = [result for result in results if result["worker_outcome"] not in ("normal", "skipped")]
    if left:
        raise RuntimeError(f"cosmic-ray did not try a mutation: {left[0]}")
    survivors = [_survivor(result["diff"]) for result in tried if result["test_outcome"] == "survived"]
    return Score(len(tried), tuple(survivors))


def _survivor(diff: str) -> Survivor:
    before, after = ("\n".join(_lines(diff, sign)) for sign in "-+")
    return Survivor(before, after)


def _lines(diff: str, sign: str) -> Iterator[str]:
    for line in diff.splitlines():
        if line.startswith(sign) and not line.startswith(sign * 3):
            yield line[1:].strip()
