"""doctor: everything it may find is provoked, and what it repairs is looked at."""

import gzip
import json
import os
import posix
import py_compile
import shutil
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from hybrid_runtime.command.processor_entry import processor_entry
from hybrid_runtime.container.claim import Journal, take_claim
from hybrid_runtime.container.store import Store
from hybrid_runtime.firmware.search_path import firmware_folder
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.setup.doctor import access, drivers, engines, interpreter, kernel, leftovers, storage
from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, Check, Finding
from hybrid_runtime.system.process_identity import start_time
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.command_runner import Command
from tests.unit.runtime.devicetree_double import Devicetree, cells
from tests.unit.runtime.remoteproc_double import BOOT_ID, ProcessorDouble, RemoteprocDouble, link
from tests.unit.runtime.troubleshooting_page import CHECKS

GOOD_OPTIONS = ("REMOTEPROC", "REMOTEPROC_CDEV", "DEBUG_FS", "DEV_COREDUMP", "NET_NS", "RPMSG_CHAR")
OURS = f"motor.elf-20261122T043250Z-{BOOT_ID[:8]}01234567"


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


@pytest.fixture
def store(double: RemoteprocDouble) -> Store:
    return Store(SystemPaths(str(double.sysroot)), str(double.root))


def titles(findings: Iterable[Finding]) -> list[str]:
    return [finding.title for finding in findings]


def write(double: RemoteprocDouble, path: str, content: bytes) -> Path:
    target = double.sysroot / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def config(double: RemoteprocDouble, *names: str) -> None:
    text = "# CONFIG_OTHER is not set\n" + "".join(f"CONFIG_{name}=y\n" for name in names)
    write(double, "proc/config.gz", gzip.compress(text.encode()))


def test_kernel_with_everything(system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble) -> None:
    config(double, *GOOD_OPTIONS)
    write(double, "dev/kmsg", b"")
    write(double, "sys/fs/cgroup/cgroup.controllers", b"cpu")
    assert {finding.level for finding in kernel.check(system)} == {OK}
    assert core.boots == []


@pytest.mark.parametrize("missing", GOOD_OPTIONS)
def test_kernel_without_an_option(system: SystemPaths, double: RemoteprocDouble, missing: str) -> None:
    config(double, *(name for name in GOOD_OPTIONS if name != missing))
    (found,) = [finding for finding in kernel.check(system) if "CONFIG_" in finding.remedy]
    assert found.remedy.startswith(f"build the kernel with CONFIG_{missing}")
    assert found.level == (PROBLEM if missing == "REMOTEPROC" else "warning")


def test_kernel_that_waits_for_a_helper(system: SystemPaths, double: RemoteprocDouble) -> None:
    config(double, *GOOD_OPTIONS, "FW_LOADER_USER_HELPER_FALLBACK")
    assert kernel.WAITS_FOR_HELPER.title in titles(kernel.check(system))


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no gzip", gzip.compress(b"CONFIG_X=y", mtime=0)[:-4]],
    ids=["absent", "empty", "no gzip", "cut short"],
)
def test_kernel_whose_options_cannot_be_read(
    system: SystemPaths, double: RemoteprocDouble, content: bytes | None
) -> None:
    if content is not None:
        write(double, "proc/config.gz", content)
    found = titles(kernel.check(system))
    # An empty file unpacks to no options at all.
    expected = kernel.WITHOUT_REMOTEPROC if content == b"" else kernel.OPTIONS_UNKNOWN
    assert expected.title in found
    if content is None:
        text = "".join(f"CONFIG_{name}=m\n" for name in GOOD_OPTIONS)
        write(double, f"boot/config-{os.uname().release}", text.encode())
        assert kernel.OPTIONS_RIGHT.title in titles(kernel.check(system))


def test_interpreter_without_zlib(
    system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    config(double, *GOOD_OPTIONS)
    monkeypatch.setitem(sys.modules, "zlib", None)
    assert kernel.OPTIONS_UNKNOWN.title in titles(kernel.check(system))


def test_kernel_that_hides_things(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert {kernel.LOG_ABSENT.title, kernel.CGROUPS_OLD.title} <= set(titles(kernel.check(system)))
    assert kernel.DEBUGFS_READABLE.title in titles(kernel.check(system))
    lockdown = write(double, "sys/kernel/security/lockdown", b"none integrity [confidentiality]\n")
    assert kernel.DEBUGFS_LOCKED.title in titles(kernel.check(system))
    lockdown.write_bytes(b"none [integrity] confidentiality\n")
    assert kernel.DEBUGFS_READABLE.title in titles(kernel.check(system))
    shutil.rmtree(core.debug.parent)
    assert kernel.DEBUGFS_ABSENT.title in titles(kernel.check(system))

    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "listdir", refuse)
    assert kernel.DEBUGFS_FORBIDDEN.title in titles(kernel.check(system))


def test_no_processor(system: SystemPaths) -> None:
    assert titles(access.check(system)) == [access.USER.title, access.NO_PROCESSOR.title]


def test_a_processor_that_is_well(system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble) -> None:
    (double.sysroot / "dev").mkdir()
    # A device, as far as stat(2) can tell.
    (double.sysroot / "dev/remoteproc0").symlink_to("/dev/null")
    user, processor = access.check(system)
    assert (user.level, processor.level) == (OK, OK)
    assert processor.text == "`core0` (remoteproc0) is offline, recovery enabled"
    assert core.boots == []


def test_processors_that_are_not(system: SystemPaths, double: RemoteprocDouble) -> None:
    first, second = double.add("same"), double.add("same", recovery="disabled")
    found = titles(access.check(system))
    assert found.count(access.DEVICE_ABSENT.title) == 2
    assert access.NAME_TWICE.title in found
    assert any("recovery disabled" in finding.text for finding in access.check(system))
    first.make_read_only()
    second.set_state("crashed")
    assert {access.READ_ONLY.title, access.CRASHED.title} <= set(titles(access.check(system)))
    second.write("firmware", OURS)
    assert access.ABANDONED_CORE.title in titles(access.check(system))
    (second.folder / "state").unlink()
    assert access.ATTRIBUTES_FORBIDDEN.title in titles(access.check(system))


def test_a_read_only_sysfs(system: SystemPaths, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = posix.statvfs(core.folder)
    read_only = type(facts)((*facts[:8], facts.f_flag | posix.ST_RDONLY, *facts[9:]))
    monkeypatch.setattr(posix, "statvfs", lambda _: read_only)
    assert access.READ_ONLY_MOUNT.title in titles(access.check(system))
    assert access.PROCESSOR.title not in titles(access.check(system))
    assert processor_entry(system, Remoteproc(system, core.device))["controllable"] is False


def test_processors_of_another_user(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    (double.sysroot / "dev").mkdir()
    (double.sysroot / "dev/remoteproc0").symlink_to("/dev/null")
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    found = list(access.check(system))
    assert titles(found)[1:] == [access.ATTRIBUTES_FORBIDDEN.title, access.DEVICE_FORBIDDEN.title]
    for attribute in access.ATTRIBUTES:
        assert f"`{system.remoteproc_class}/{core.device}/{attribute}`" in found[1].text


def test_folders_that_are_well(system: SystemPaths, double: RemoteprocDouble) -> None:
    write(double, "proc/self/mounts", b"dev / ext4 rw 0 0\ntmp /odd\\040name tmpfs rw 0 0\n")
    found = list(storage.check(system, str(double.root)))
    assert {finding.level for finding in found} == {OK}
    assert found[0].text == f"`{double.firmware_folder}` on ext4"
    assert storage.file_system(system, "/odd name/x") == "tmpfs"
    assert storage.file_system(system, "/odd namesake") == "ext4"


def test_folders_that_are_not(system: SystemPaths, double: RemoteprocDouble, tmp_path: Path) -> None:
    shutil.rmtree(double.firmware_folder)
    double.firmware_folder.write_text("a file in its place")
    (tmp_path / "file").write_text("")
    found = list(storage.check(system, str(tmp_path / "file/root")))
    assert titles(found)[:2] == [storage.FIRMWARE_FOLDER_WRONG.title, storage.CONTAINERS_WRONG.title]
    assert "firmware_class.path=" in found[0].remedy
    assert "is no folder" in found[0].text
    assert found[0].remedy.startswith("remove what is in its place, or name another folder: ")
    assert found[1].remedy == "remove what is in its place, or choose another --root"


def test_remedies_of_the_kernels_log(
    system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is absent is not made readable by a capability."""
    (absent,) = [finding for finding in kernel.check(system) if finding.title == kernel.LOG_ABSENT.title]
    assert (absent.text.partition(":")[0], absent.remedy) == ("file not found", "mount -t devtmpfs none /dev")
    write(double, "dev/kmsg", b"")

    def refuse(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "open", refuse)
    found = kernel._check_log(system)
    assert found.text.startswith("it is not permitted: ")
    assert "CAP_SYSLOG" in found.remedy


def test_a_firmware_path_that_nobody_meant(system: SystemPaths, double: RemoteprocDouble) -> None:
    parameter = double.sysroot / "sys/module/firmware_class/parameters/path"
    write(double, "sys/module/firmware_class/parameters/path", b" /var/lib/fw\n")
    found = next(iter(storage.check(system, str(double.root))))
    assert found.title == storage.FIRMWARE_PATH_ODD.title
    assert found.text == f"the kernel takes ` /var/lib/fw` literally and goes on to `{double.firmware_folder}`"
    parameter.write_bytes(b"/var/lib/fw\n")
    assert storage.FIRMWARE_PATH_ODD.title not in titles(storage.check(system, str(double.root)))


@pytest.mark.parametrize(
    ("driver", "node", "properties", "told"),
    [
        ("imx-rproc", "cluster/core", {"memory_region": cells(5)}, [drivers.TABLE_NEEDED]),
        ("imx-rproc", "cluster/core", {"memory_region": cells(6)}, []),
        ("other", "cluster/core", {"memory_region": cells(5)}, []),
        ("k3_r5_rproc", "cluster", {"ti,cluster_mode": cells(0)}, [drivers.CORES_IN_ORDER]),
        ("k3_r5_rproc", "cluster", {"ti,cluster_mode": cells(1)}, []),
        ("other", "cluster", {"ti,cluster_mode": cells(0)}, []),
    ],
)
def test_drivers(
    system: SystemPaths,
    double: RemoteprocDouble,
    driver: str,
    node: str,
    properties: dict[str, bytes],
    told: list[Check],
) -> None:
    core = double.add("core")
    devicetree = Devicetree(double, core)
    devicetree.node("cluster/core")
    devicetree.node("reserved-memory/rsc-table@55ff000", phandle=cells(5))
    devicetree.node(node, **properties)
    devicetree.is_of_device("cluster/core")
    core.driver_link.unlink()
    (double.sysroot / "sys/bus/platform/drivers" / driver).mkdir(parents=True)
    link(core.driver_link, double.sysroot / "sys/bus/platform/drivers" / driver)
    assert titles(drivers.check(system)) == [check.title for check in told]


def test_folders_without_room(system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    full = os.statvfs_result((4096, 4096, 100, 1, 1, 10, 10, 10, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: full)
    assert titles(storage.check(system, str(double.root))).count(storage.LITTLE_ROOM.title) == 3
    read_only = os.statvfs_result((4096, 4096, 100, 99, 99, 10, 10, 10, os.ST_RDONLY, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: read_only)
    found = list(storage.check(system, str(double.root)))
    assert [finding.level for finding in found] == [PROBLEM, PROBLEM, PROBLEM, OK]
    assert titles(found)[2:] == [storage.CLAIMS_WRONG.title, storage.ROOT_READ_ONLY.title]
    assert found[0].text.endswith(": read-only")


def test_interpreter() -> None:
    assert interpreter.check_version((3, 10)).level == PROBLEM
    assert interpreter.check_version((3, 11)).level == OK
    assert interpreter.check_version((4, 0)).level == OK


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    (folder / "inner").mkdir(parents=True)
    for name in ("one.py", "inner/two.py"):
        (folder / name).write_text("ANSWER = 42\n")
        py_compile.compile(str(folder / name), invalidation_mode=py_compile.PycInvalidationMode.TIMESTAMP)
    return folder


def test_byte_code_that_is_right(package: Path) -> None:
    assert titles(interpreter.check_byte_code(str(package))) == [interpreter.BYTE_CODE_RIGHT.title]


@pytest.mark.parametrize(
    ("mode", "unchanged", "changed"),
    [
        (py_compile.PycInvalidationMode.TIMESTAMP, interpreter.BYTE_CODE_RIGHT, interpreter.BYTE_CODE_OUTDATED),
        (py_compile.PycInvalidationMode.CHECKED_HASH, interpreter.BYTE_CODE_SLOW, interpreter.BYTE_CODE_SLOW),
        (py_compile.PycInvalidationMode.UNCHECKED_HASH, interpreter.BYTE_CODE_SLOW, interpreter.BYTE_CODE_STALE),
    ],
)
def test_byte_code_by_the_way_it_was_compiled(
    package: Path, mode: py_compile.PycInvalidationMode, unchanged: Check, changed: Check
) -> None:
    source = package / "one.py"
    py_compile.compile(str(source), invalidation_mode=mode)
    assert titles(interpreter.check_byte_code(str(package))) == [unchanged.title]
    source.write_text("ANSWER = 4321\n")
    (finding,) = interpreter.check_byte_code(str(package))
    assert (finding.title, finding.text) == (changed.title, "of `one.py`")


def test_byte_code_of_a_source_of_another_time(package: Path) -> None:
    os.utime(package / "one.py", (1, 1))
    assert titles(interpreter.check_byte_code(str(package))) == [interpreter.BYTE_CODE_OUTDATED.title]


def test_byte_code_of_another_interpreter(package: Path) -> None:
    (compiled,) = (package / "__pycache__").glob("one.*.pyc")
    compiled.write_bytes(b"\0\0\0\0" + compiled.read_bytes()[4:])
    assert titles(interpreter.check_byte_code(str(package))) == [interpreter.BYTE_CODE_OUTDATED.title]


def test_byte_code_that_is_missing(package: Path) -> None:
    shutil.rmtree(package / "inner/__pycache__")
    assert interpreter.BYTE_CODE_MISSING.title in titles(interpreter.check_byte_code(str(package)))


SETTINGS = [
    ("podman", "etc/containers/containers.conf.d/r.conf", b'[engine.runtimes]\nr5 = ["/usr/bin/hybrid-runtime"]\n'),
    ("dockerd", "etc/docker/daemon.json", b'{"runtimes": {"r5": {"path": "/usr/bin/hybrid-runtime"}}}'),
    ("containerd", "etc/containerd/config.toml", b'[plugins.x.options]\nBinaryName = "/opt/x/hybrid-runtime"\n'),
    ("crio", "etc/crio/crio.conf.d/9.conf", b'[crio.runtime.runtimes.r5]\nruntime_path = "/bin/hybrid-runtime"\n'),
]


@pytest.mark.parametrize(("program", "path", "settings"), SETTINGS)
def test_engines(system: SystemPaths, double: RemoteprocDouble, program: str, path: str, settings: bytes) -> None:
    assert titles(engines.check(system)) == [engines.NO_ENGINE.title]
    write(double, f"usr/bin/{program}", b"")
    (unaware,) = engines.check(system)
    assert (unaware.title, unaware.text) == (engines.UNKNOWN.title, program)
    assert "hybrid-runtime" in unaware.remedy
    target = write(double, path, settings.replace(b"/hybrid-runtime", b"/hybrid-runtime-too"))
    assert titles(engines.check(system)) == [engines.UNKNOWN.title]
    target.write_bytes(settings)
    (known,) = engines.check(system)
    assert (known.title, known.text) == (engines.KNOWN.title, f"{program}, by `{target}`")
    target.write_bytes(settings[:-3])
    assert titles(engines.check(system)) == [engines.DAMAGED.title, engines.UNKNOWN.title]


def test_nothing_left(store: Store) -> None:
    assert titles(leftovers.check(store)) == [leftovers.NOTHING_LEFT.title, leftovers.CONTAINERS.title]
    assert list(leftovers.repair(store)) == []


def test_leftovers_are_found_and_repaired(
    command: Command, double: RemoteprocDouble, firmware: Path, system: SystemPaths, store: Store
) -> None:
    """A death of each kind beside a container that lives."""
    cores = [double.add(f"core{number}") for number in range(4)]
    for name, core in zip(("living", "dead", "damaged", "lost"), cores, strict=True):
        pid = command.create(firmware, name, "--processor", core.read("name"))
        command.run("start", name)
        if name != "living":
            os.kill(pid, signal.SIGKILL)
            assert command.exit_code(pid) == 137
    (double.claims / "remoteproc2.journal").write_text("{")
    (double.claims / "remoteproc3.journal").unlink()
    (double.root / "empty").mkdir()
    (double.root / "lost/record.json").write_text("{")
    found = titles([*leftovers.check(store), *access.check(system)])
    for kind in (
        *(leftovers.INTERRUPTED_HOLDER, leftovers.DAMAGED_JOURNAL, leftovers.ABANDONED, leftovers.UNREADABLE),
        access.ABANDONED_CORE,
    ):
        assert kind.title in found, kind.title
    assert [core.state for core in cores] == ["running"] * 4

    repaired = command.run("doctor", "--repair", code=None).stdout
    assert "undid container `dead` on remoteproc1" in repaired
    assert "set aside the journal of remoteproc2" in repaired
    assert "stopped remoteproc3, which ran `hello.elf-" in repaired
    assert f"removed `{double.root}/empty`, whose create was interrupted" in repaired
    assert [core.state for core in cores] == ["running", "offline", "offline", "offline"]
    assert (cores[0].stops, command.status("living")) == (0, "running")
    assert double.installed() == [command.record("living")["firmware_name"]]
    assert double.journals() == ["remoteproc0.journal", "remoteproc2.journal.damaged"]
    again = command.run("doctor", "--repair", code=None).stdout
    assert "repaired" not in again
    assert leftovers.SET_ASIDE.title in again
    assert leftovers.UNREADABLE.title in again
    for name in ("living", "dead", "damaged", "lost"):
        command.run("delete", "--force", name)
    assert double.installed() == double.containers() == []


def test_orphans_are_found_while_every_journal_can_be_read(store: Store, double: RemoteprocDouble) -> None:
    (double.firmware_folder / OURS).write_bytes(b"")
    (found,) = [finding for finding in leftovers.check(store) if finding.level != OK]
    assert (found.title, found.text) == (leftovers.ORPHANED_FIRMWARE.title, f"`{double.firmware_folder / OURS}`")
    assert [done.text for done in leftovers.repair(store)] == [
        f"removed `{double.firmware_folder / OURS}`, which no container answers for"
    ]


def test_firmware_in_a_folder_that_was_named_before(
    system: SystemPaths, store: Store, double: RemoteprocDouble, tmp_path: Path
) -> None:
    """firmware_class.path was changed since: /lib/firmware is looked at as well."""
    (double.firmware_folder / OURS).write_bytes(b"")
    (double.sysroot / "sys/module/firmware_class/parameters/path").write_text("/elsewhere\n")
    assert firmware_folder(system) == f"{double.sysroot}/elsewhere"
    assert leftovers.ORPHANED_FIRMWARE.title in titles(leftovers.check(store))
    assert tmp_path.is_dir()


def test_a_container_whose_folder_is_gone(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, store: Store
) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    shutil.rmtree(double.root / "motor")
    (found,) = [finding for finding in leftovers.check(store) if finding.level != OK]
    assert found.title == leftovers.FOLDER_GONE.title
    assert found.remedy == f"hybrid-runtime --root {double.root} delete --force motor"
    assert core.state == "running"
    command.run("delete", "--force", "motor")
    assert command.exit_code(pid, 0) == 137
    assert core.state == "offline"
    assert double.leftovers() == []


@pytest.mark.parametrize("flag", [False, True])
def test_a_flag_that_a_dead_container_may_have_left(system: SystemPaths, store: Store, flag: bool) -> None:
    """Only the journal tells: asking the device would mean opening it."""
    claim = take_claim(system, "remoteproc0")
    assert claim is not None
    journal = Journal("/root", "motor")
    journal.shutdown_on_release = flag
    claim.write_journal(journal)
    claim.close()
    (found,) = [finding for finding in leftovers.check(store) if finding.level == PROBLEM]
    assert found.title == leftovers.INTERRUPTED_HOLDER.title
    assert ("shutdown-on-release" in found.text) == flag


def test_a_folder_that_may_not_be_looked_into_is_not_gone(
    system: SystemPaths, store: Store, double: RemoteprocDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another user's root."""
    claim = take_claim(system, "remoteproc0")
    assert claim is not None
    journal = Journal(str(tmp_path / "theirs"), "motor")
    journal.pid, journal.pid_start_time = os.getpid(), start_time(os.getpid()) or 0
    claim.write_journal(journal)
    assert leftovers.FOLDER_GONE.title in titles(leftovers.check(store))
    real = posix.stat

    def refuse(path: str, **options: bool) -> os.stat_result:
        if str(path).endswith("theirs/motor"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, **options)

    monkeypatch.setattr(posix, "stat", refuse)
    assert leftovers.FOLDER_GONE.title not in titles(leftovers.check(store))
    claim.close()
    assert double.journals() == ["remoteproc0.journal"]


def test_a_repair_that_fails(command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    command.run("start", "motor")
    os.kill(pid, signal.SIGKILL)
    command.exit_code(pid)
    core.refuses_to_stop = True
    outcome = command.run("doctor", "--repair", code=1)
    assert f"{leftovers.NOT_REPAIRED.title}: undid container `motor` on remoteproc0: processor" in outcome.stdout
    assert double.journals() == ["remoteproc0.journal"]
    core.refuses_to_stop = False
    assert "undid container" in command.run("doctor", "--repair", code=None).stdout
    assert core.state == "offline"


def test_what_may_not_be_looked_at(
    system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert leftovers.ROOT_FORBIDDEN.title in titles(leftovers.check(Store(system, str(tmp_path / "file"))))

    def refuse(path: str) -> list[str]:
        raise PermissionError(13, "Permission denied", path)

    double.claims.mkdir()
    monkeypatch.setattr(posix, "listdir", refuse)
    found = titles(leftovers.check(Store(SystemPaths(str(double.sysroot)), str(double.root))))
    assert leftovers.JOURNALS_FORBIDDEN.title in found


def test_the_command(command: Command, core: ProcessorDouble, double: RemoteprocDouble) -> None:
    config(double, *GOOD_OPTIONS)
    outcome = command.run("doctor")
    assert outcome.stderr == ""
    assert "ok        a processor can be used: `core0` (remoteproc0) is offline" in outcome.stdout
    assert "          → " in outcome.stdout
    entries = json.loads(command.run("doctor", "-f", "json").stdout)
    assert all(set(entry) == {"level", "title", "text", "meaning", "remedy"} for entry in entries)
    assert all(entry["meaning"].endswith(".") for entry in entries)
    assert {entry["title"] for entry in entries} <= {check.title for check in CHECKS}
    core.vanish()
    assert "problem   there is no remote processor" in command.run("doctor", code=1).stdout
