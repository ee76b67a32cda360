"""What the modules of the runtime import, and what each verb loads: start-up time is counted in milliseconds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_runner import Command, interpreter_of
from remoteproc_double import RemoteprocDouble

from hybrid_runtime import engine_phrases

PACKAGE = Path(engine_phrases.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
LAUNCHER = PACKAGE.parent / "bin/hybrid-runtime"
PRIVATE_USERS = {"json_text.py", "system_calls.py"}
# Each costs more than the budget of a verb leaves (or loads one that does).
TOO_DEAR = {
    *("argparse", "collections", "contextlib", "dataclasses", "enum", "functools", "hashlib", "inspect", "json"),
    *("logging", "pathlib", "re", "shutil", "signal", "socket", "subprocess", "tempfile", "traceback", "typing"),
}
PHRASES = (
    *(engine_phrases.NOT_RUNNING, engine_phrases.DOES_NOT_EXIST, *engine_phrases.EXIT_CODE_PHRASES),
    *("does not exist", "no such process", "process already finished"),
)


def imports(path: Path) -> list[str]:
    """Names of modules, those behind TYPE_CHECKING left out."""
    found = []
    pending: list[ast.AST] = [ast.parse(path.read_text())]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found.append(node.module or "")
        pending += ast.iter_child_nodes(node)
    return found


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


@pytest.mark.parametrize("path", [*MODULES, LAUNCHER], ids=name_of)
def test_only_the_standard_library(path: Path) -> None:
    for module in imports(path):
        top = module.partition(".")[0]
        assert top == "hybrid_runtime" or top in sys.stdlib_module_names, module
        assert not top.startswith("_") or path.name in PRIVATE_USERS, f"{module} is private"


def texts(path: Path) -> list[tuple[int, str]]:
    """Every string of the code but docstrings."""
    tree = ast.parse(path.read_text())
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation
    ]


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "engine_phrases.py"], ids=name_of)
def test_words_of_engines_stand_alone(path: Path) -> None:
    found = [(line, phrase) for line, text in texts(path) for phrase in PHRASES if phrase in text.lower()]
    assert found == []


def test_scan_finds_what_it_looks_for() -> None:
    assert tuple(text for _, text in texts(PACKAGE / "engine_phrases.py") if text == engine_phrases.DOES_NOT_EXIST) == (
        "container does not exist",
    )
    assert "_json" in imports(PACKAGE / "json_text.py")


def test_messages_have_no_capital_and_no_full_stop() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in ("Failure", "usage_error", "BadJSON", "UnreadableRecord"):
                continue
            for argument in node.args[:2]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    assert not re.match(r"[A-Z][a-z]", argument.value), (name_of(path), argument.value)
                    assert not argument.value.endswith("."), (name_of(path), argument.value)


def loaded_by(command: Command, *args: str) -> set[str]:
    """Modules of a whole call, as the interpreter itself tells."""
    argv = [interpreter_of(command.launcher), "-ISX", "importtime", *command.argv(*args)]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines}


@pytest.mark.parametrize("verb", ["--version", "state", "start", "kill", "delete", "create", "processors"])
def test_what_a_verb_loads(command: Command, double: RemoteprocDouble, firmware: Path, verb: str) -> None:
    core = double.add("core0")
    if verb not in ("--version", "create", "processors"):
        command.create(firmware, "motor")
    words = {"create": ["create", str(firmware), "motor"], "--version": ["--version"], "processors": ["processors"]}
    loaded = loaded_by(command, *words.get(verb, [verb, "motor"]))
    assert "hybrid_runtime.command.line" in loaded
    assert loaded & TOO_DEAR == set()
    supervisor = {module for module in loaded if module.startswith("hybrid_runtime.supervisor.")}
    allowed = {"create": supervisor, "start": {"hybrid_runtime.supervisor.control"}}
    assert supervisor <= allowed.get(verb, set())
    assert core.device == "remoteproc0"
