"""Processor time of the command's processes, user and system, as wait4(2) tells it of each one that has ended."""

import json
import os
import shutil
import signal
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.elf_builder import build_elf
from tests.unit.runtime.command_runner import adopt_orphans, deploy, interpreter_of
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

# A supervisor that was just born is at its poll after this long.
_SETTLED_SECONDS = 0.03
# Caches fill, frequencies rise.
_WARM_UP_ROUNDS = 3
BARE = "python3 -IS -c pass"


def _spend(argv: list[str], null: int) -> float:
    """Seconds. Started as an engine does it, without any environment; fails unless the exit code is 0."""
    actions = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in range(3)]
    pid = os.posix_spawn(argv[0], argv, {}, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, argv
    return usage.ru_utime + usage.ru_stime


@contextmanager
def _folder_in_memory() -> Iterator[Path]:
    """As /run is on a device: what a disk's driver costs is none of the command's."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="hybrid-bench-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Bench:
    """A deployed command, a double of a machine with one processor, and bundles as engines make them."""

    def __init__(self, runtime: Path, interpreter: str | None, folder: Path, double: RemoteprocDouble) -> None:
        launcher = deploy(runtime, folder / "deployed", interpreter)
        self.interpreter = interpreter_of(launcher)
        self.double = double
        self.null = os.open("/dev/null", os.O_RDWR)
        self.command = [str(launcher), "--sysroot", str(double.sysroot)]
        self.samples: dict[str, list[float]] = defaultdict(list)
        self.bundle = self._bundle(folder / "bundle", {})
        namespaces = {"namespaces": [{"type": "network"}]}
        self.bundle_with_namespace = self._bundle(folder / "bundle-with-namespace", {"linux": namespaces})

    @staticmethod
    def _bundle(folder: Path, further: dict[str, object]) -> Path:
        (folder / "rootfs").mkdir(parents=True)
        (folder / "rootfs/hello.elf").write_bytes(build_elf())
        config = {"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"cwd": "/", "args": ["/hello.elf"]}}
        (folder / "config.json").write_text(json.dumps(config | further))
        return folder

    def _measure(self, name: str, *words: str | Path) -> float:
        seconds = _spend([*self.command, *map(str, words)], self.null)
        self.samples[name].append(seconds)
        return seconds

    def _supervisor(self) -> int:
        record = json.loads((self.double.root / "motor/record.json").read_bytes())
        return int(record["pid"])

    def _measure_create(self, name: str, bundle: Path) -> None:
        """With what the supervisor spends until it waits; killed there, so that it can be told."""
        seconds = _spend([*self.command, "create", "--bundle", str(bundle), "motor"], self.null)
        threading.Event().wait(_SETTLED_SECONDS)
        pid = self._supervisor()
        os.kill(pid, signal.SIGKILL)
        _, _, usage = os.wait4(pid, 0)
        self.samples[name].append(seconds + usage.ru_utime + usage.ru_stime)

    def round(self) -> None:
        """Everything once."""
        self.samples[BARE].append(_spend([self.interpreter, "-IS", "-c", "pass"], self.null))
        self._measure("--version", "--version")
        self._measure_create("create", self.bundle)
        self._measure("delete of a stopped", "delete", "motor")
        self._measure_create("create with a network namespace", self.bundle_with_namespace)
        _spend([*self.command, "delete", "motor"], self.null)
        _spend([*self.command, "create", "--bundle", str(self.bundle), "motor"], self.null)
        pid = self._supervisor()
        self._measure("start", "start", "motor")
        self._measure("state", "state", "motor")
        self._measure("kill", "kill", "motor", "TERM")
        os.waitpid(pid, 0)
        self._measure("delete", "delete", "motor")


def measure(runtime: Path, interpreter: str | None, rounds: int) -> dict[str, list[float]]:
    """Seconds of each verb, and of the bare interpreter under its name."""
    adopt_orphans()
    with _folder_in_memory() as folder, RemoteprocDouble(folder / "machine") as double:
        double.add("core0")
        bench = Bench(runtime, interpreter, folder, double)
        for number in range(_WARM_UP_ROUNDS + rounds):
            if number == _WARM_UP_ROUNDS:
                bench.samples.clear()
            bench.round()
        os.close(bench.null)
        return bench.samples
