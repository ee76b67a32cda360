"""What the modules of the runtime import, and what each verb loads: start-up time is counted in milliseconds."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import hybrid_runtime
from hybrid_runtime.container import engine_phrases
from tests.unit.runtime.command_runner import Command, interpreter_of
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

PACKAGE = Path(hybrid_runtime.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# The folders in it, such as "setup/doctor".
PACKAGES = {str(path.parent.relative_to(PACKAGE)) for path in MODULES if path.name == "__init__.py"} - {"."}
LAUNCHER = PACKAGE.parent / "bin/hybrid-runtime"
PRIVATE_USERS = {"json_text.py", "system_calls.py"}
# Each costs more than the budget of a verb leaves (or loads one that does).
TOO_DEAR = {
    *("argparse", "collections", "contextlib", "dataclasses", "enum", "functools", "hashlib", "inspect", "json"),
    *("logging", "os", "pathlib", "re", "shutil", "signal", "socket", "subprocess", "tempfile", "traceback", "typing"),
    *("ctypes", "importlib", "threading", "warnings"),
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


# Folders, the lowest first; in none is what all modules are loaded by. Those of one line do not know each other.
LAYERS = (
    ("",),
    ("system",),
    ("bundle", "processor", "firmware", "setup", "setup/engine"),
    ("container",),
    ("image", "supervisor"),
    ("lifecycle", "setup/doctor"),
    ("command",),
)


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def layer(folder: str) -> int:
    return next(index for index, folders in enumerate(LAYERS) if folder in folders)


def folder_of(module: str) -> str:
    """ "" for a module of ours that is in no folder: `hybrid_runtime.byte_code`, or `hybrid_runtime` itself."""
    folder = module.partition(".")[2].replace(".", "/")
    while folder not in {"", *PACKAGES}:
        folder = folder.rpartition("/")[0]
    return folder


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_import_runs_upwards(path: Path) -> None:
    """Nor to another folder of the same layer."""
    folder = folder_of(".".join(path.parent.relative_to(PACKAGE.parent).parts))
    for module in imports(path):
        if module.partition(".")[0] == "hybrid_runtime" and folder_of(module) != folder:
            assert layer(folder_of(module)) < layer(folder), module


def test_only_doctor_loads_the_checks() -> None:
    """Their texts are long, and no engine asks for them."""
    users = {name_of(path) for path in MODULES if any("setup.doctor" in module for module in imports(path))}
    assert {user for user in users if "/setup/doctor/" not in user} == {"hybrid_runtime/command/doctor.py"}


def test_every_folder_has_its_layer() -> None:
    assert {folder for folders in LAYERS for folder in folders} == {"", *PACKAGES}


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
    assert tuple(
        text for _, text in texts(PACKAGE / "container/engine_phrases.py") if text == engine_phrases.DOES_NOT_EXIST
    ) == ("container does not exist",)
    assert "_json" in imports(PACKAGE / "system/json_text.py")


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


def loaded_by(command: Command, *args: str) -> list[str]:
    """Modules of a whole call from our first one on, as the interpreter itself tells."""
    argv = [interpreter_of(command.launcher), "-ISX", "importtime", *command.argv(*args)]
    process = subprocess.run(argv, capture_output=True, text=True, check=False)
    lines = [line for line in process.stderr.splitlines() if line.startswith("import time:")]
    names = [line.rpartition("|")[2].strip() for line in lines]
    return names[names.index("hybrid_runtime") :]


# Ours, without their packages; each is a hundredth of the interpreter's start or more.
COMMON = {
    *("byte_code", "command.context", "command.line", "command.options", "command.table"),
    *("container.engine_phrases", "container.identifier", "container.record", "container.store"),
    *("system.durable_file", "system.failure", "system.json_text", "system.path", "system.system_paths"),
    "system.timestamp",
}
STATUS = {*COMMON, "container.container", "container.status", "system.process_identity", "system.deadline"}
CORE = {*STATUS, "processor.remoteproc"}
LOADED = {
    "--version": {*COMMON, "command.version"},
    "state": {*CORE, "command.state", "container.state"},
    "start": {
        *CORE,
        "command.start",
        "lifecycle.starting",
        "bundle.annotations",
        "supervisor.control",
        "system.system_calls",
    },
    "kill": {*CORE, "command.kill", "system.system_calls"},
    "delete": {*STATUS, "command.delete", "container.reclaim", "container.claim", "container.holder"},
}
# The interpreter's own, as far as they are neither frozen into it nor built in on any.
C_MODULES = {"_json", "_signal", "_socket", "errno", "fcntl", "gc", "marshal", "posix", "select", "sys", "time"}
CREATE_TOO = {"_stat", "_struct", "stat", "struct"}


def ours(loaded: list[str]) -> set[str]:
    names = [name.removeprefix("hybrid_runtime.") for name in loaded if name.startswith("hybrid_runtime.")]
    return {name for name in names if name.replace(".", "/") not in PACKAGES}


@pytest.mark.parametrize("verb", LOADED)
def test_what_a_verb_loads(command: Command, double: RemoteprocDouble, firmware: Path, verb: str) -> None:
    """Held exactly: a module more is to be worth its price, one less is to be noted."""
    double.add("core0")
    if verb != "--version":
        pid = command.create(firmware, "motor")
    if verb == "delete":
        command.run("kill", "motor")
        command.exit_code(pid)
    words = [verb] if verb == "--version" else [verb, "motor"]
    loaded = loaded_by(command, *words)
    assert ours(loaded) == LOADED[verb]
    assert {name for name in loaded if not name.startswith("hybrid_runtime")} <= C_MODULES


# What only some containers need: images, hooks, networks, control groups, RPMsg, core dumps, terminals.
SELDOM = (
    *("image.", "container.hook_run", "bundle.hook", "system.network_namespace", "container.cgroup"),
    "supervisor.terminal",
)
MOST = {"create": 55, "delete --force": 29}


@pytest.mark.parametrize("verb", MOST)
def test_what_the_longer_verbs_load(command: Command, double: RemoteprocDouble, firmware: Path, verb: str) -> None:
    double.add("core0")
    words = ["create", str(firmware), "motor"]
    if verb != "create":
        command.run(*words)
        words = [*verb.split(), "motor"]
    loaded = loaded_by(command, *words)
    assert {name for name in loaded if not name.startswith("hybrid_runtime")} <= C_MODULES | CREATE_TOO
    assert len(ours(loaded)) <= MOST[verb]
    assert not {name for name in ours(loaded) if name.startswith(SELDOM)}


@pytest.mark.parametrize("verb", ["processors", "logs", "list", "ps", "features", "update"])
def test_what_no_verb_loads(command: Command, double: RemoteprocDouble, firmware: Path, verb: str) -> None:
    double.add("core0")
    command.create(firmware, "motor")
    loaded = loaded_by(command, *([verb] if verb in ("processors", "list", "features") else [verb, "motor"]))
    assert set(loaded) & (TOO_DEAR - {"os"}) == set()
