"""What the runtime's unit tests share: a machine made of files, a deployed copy of the command, small ELF files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.elf_builder import build_elf
from tests.unit.runtime.alone import run_alone, threads
from tests.unit.runtime.command_runner import Command, adopt_orphans, deploy
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

CHECKOUT = Path(__file__).resolve().parents[3]

# Loaded machines miss hypothesis' own deadlines; the same examples every time, and no folder of them.
settings.register_profile("runtime", deadline=None, derandomize=True, database=None, max_examples=100)
settings.register_profile("thorough", settings.get_profile("runtime"), max_examples=2000)
settings.load_profile("runtime")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "alone: forks, so it runs in a process that has no other thread")
    if config.getoption("--thorough"):
        settings.load_profile("thorough")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Here unless there are threads beside this one, as in a worker of pytest-xdist."""
    if pyfuncitem.get_closest_marker("alone") is None or threads() == 1:
        return None
    run_alone(pyfuncitem)
    return True


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """The runtime as it lies on a device: sources with byte code beside them."""
    interpreter = pytestconfig.getoption("--interpreter")
    return deploy(CHECKOUT / "runtime", tmp_path_factory.mktemp("deployed"), interpreter)


@pytest.fixture
def double(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RemoteprocDouble]:
    """A test that runs alone has its files, and no thread that plays the kernel."""
    made = RemoteprocDouble(tmp_path / "machine")
    if request.node.get_closest_marker("alone") is not None:
        yield made
        return
    with made:
        yield made


@pytest.fixture
def core(double: RemoteprocDouble) -> ProcessorDouble:
    """The only processor of the machine."""
    return double.add("core0")


@pytest.fixture
def command(double: RemoteprocDouble, deployed: Path, tmp_path: Path) -> Iterator[Command]:
    """Its containers are children of the test, as they are of an engine's shim, and do not outlive it."""
    adopt_orphans()
    runner = Command(deployed, double, tmp_path)
    yield runner
    runner.end_containers()


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    path = tmp_path / "hello.elf"
    path.write_bytes(build_elf())
    return path
