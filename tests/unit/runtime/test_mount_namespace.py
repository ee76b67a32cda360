"""What others find where they look for a container's files by its process: the image, and nothing of the machine."""

import errno
import os
import subprocess
from pathlib import Path

import pytest

from hybrid_runtime.system import mount_namespace, system_calls
from hybrid_runtime.system.mount_namespace import can_be_made, enter_own_root
from hybrid_runtime.system.outer_root import reach_machine_from_working_folder
from hybrid_runtime.system.path import as_named, on_machine
from tests.unit.runtime.bundle_builder import write_bundle
from tests.unit.runtime.child_process import in_child
from tests.unit.runtime.command_runner import Command, eventually
from tests.unit.runtime.remoteproc_double import TRACE_BYTES, ProcessorDouble, RemoteprocDouble, link
from tests.unit.runtime.test_coredump import keep_in_kernel

MAY = subprocess.run(["/usr/bin/env", "unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
pytestmark = pytest.mark.skipif(not MAY, reason="this user may make no mount namespace: it takes CAP_SYS_ADMIN")


def inside(pid: int, *words: str) -> "subprocess.CompletedProcess[str]":
    """By the way of `podman cp`: in the mount namespace of the process, with its root and working folder."""
    code = (
        "import os, sys; pid, *words = sys.argv[1:]; "
        "libc = __import__('ctypes').CDLL(None, use_errno=True); "
        "fd = os.open(f'/proc/{pid}/ns/mnt', os.O_RDONLY); "
        "assert libc.setns(fd, 0x20000) == 0, os.strerror(__import__('ctypes').get_errno()); "
        "print(eval(words[0]))"
    )
    return subprocess.run(
        ["/usr/bin/python3", "-IS", "-c", code, str(pid), *words], capture_output=True, text=True, check=False
    )


def root_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/root")


def names(path: str | Path) -> list[str]:
    return sorted(entry.name for entry in Path(path).iterdir())


def namespace(pid: int | str) -> str:
    return str(Path(f"/proc/{pid}/ns/mnt").readlink())


def create(command: Command, bundle: Path, *options: str) -> int:
    command.run("create", "-b", bundle, *options, "motor")
    pid: int = command.record("motor")["pid"]
    return pid


@pytest.mark.parametrize("phase", ["created", "running"])
def test_the_image_and_nothing_else(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path, phase: str
) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware)
    (bundle / "rootfs/etc").mkdir()
    (bundle / "rootfs/etc/hostname").write_text("image\n")
    pid = create(command, bundle)
    if phase == "running":
        command.run("start", "motor")
    assert namespace(pid) != namespace("self")
    assert inside(pid, "sorted(os.listdir('/'))").stdout == "['etc', 'fw.elf']\n"
    assert inside(pid, "os.path.realpath('.')").stdout == "/\n"
    assert inside(pid, "open('/etc/hostname').read()").stdout == "image\n\n"
    assert names(root_of(pid)) == ["etc", "fw.elf"]
    # Nothing of the machine is mounted there, so nothing of it is kept busy.
    assert len(Path(f"/proc/{pid}/mounts").read_text().splitlines()) == 1
    for way in ("..", "../..", "etc/../.."):
        assert names(f"/proc/{pid}/root/{way}") == ["etc", "fw.elf"]
    assert core.state == ("running" if phase == "running" else "offline")


def test_nothing_can_be_written(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "bundle", firmware)
    pid = create(command, bundle)
    written = inside(pid, "open('/precious', 'w')")
    assert written.returncode == 1
    assert "Read-only file system" in written.stderr
    with pytest.raises(OSError, match="Read-only file system"):
        (root_of(pid) / "fw.elf").write_bytes(b"")
    assert not Path("/precious").exists()
    assert names(bundle / "rootfs") == ["fw.elf"]
    assert core.state == "offline"


def test_a_firmware_file_shows_nothing(command: Command, core: ProcessorDouble, firmware: Path) -> None:
    pid = command.create(firmware, "motor")
    assert inside(pid, "os.listdir('/')").stdout == "[]\n"
    assert list(root_of(pid).iterdir()) == []
    written = inside(pid, "open('/precious', 'w')")
    assert "Read-only file system" in written.stderr
    assert core.state == "offline"


def test_the_image_may_go_while_its_container_lives(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    """Engines unmount and remove it; the mount of another namespace is no reason for EBUSY."""
    bundle = write_bundle(tmp_path / "bundle", firmware)
    pid = create(command, bundle)
    command.run("start", "motor")
    (bundle / "rootfs/fw.elf").unlink()
    (bundle / "rootfs").rmdir()
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0
    command.run("delete", "motor")
    assert double.leftovers() == []
    assert core.state == "offline"


def test_a_whole_life_out_of_another_root(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    """Ring wrap, crash, core dump, and giving back, with every folder behind an absolute link, as distributions
    have /var/run: it leads nowhere from a root of one's own."""
    for folder in ("run", "lib/firmware", "var/lib/hybrid-runtime"):
        place = double.sysroot / folder
        real = tmp_path / "real" / folder
        real.mkdir(parents=True, mode=0o700)
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            place.rmdir()
        place.symlink_to(real)
    (tmp_path / "pids").mkdir()
    (tmp_path / "var-run").symlink_to(tmp_path / "pids")
    annotations = {"remoteproc.coredump": "on"}
    bundle = write_bundle(tmp_path / "bundle", firmware, annotations=annotations)
    pid = create(command, bundle, "--pid-file", str(tmp_path / "var-run/pid"))
    command.run("start", "motor")
    for letter in "abcd":
        # The third of them comes round to the ring's beginning.
        core.print(letter.encode() * (TRACE_BYTES * 2 // 5) + b"\n")
        eventually(lambda end=f"{letter}\n": command.run("logs", "motor").stdout.endswith(end))  # type: ignore[misc]
    keep_in_kernel(double, core, "devcd1", b"memory")
    core.crash()
    assert command.exit_code(pid) == 70
    state = command.state("motor")["annotations"]
    dump = Path(state["remoteproc.coredump-path"])
    assert dump.parent == tmp_path / "real/var/lib/hybrid-runtime/coredumps"
    assert dump.read_bytes() == b"memory"
    assert "`./" not in command.run("logs", "motor").stderr
    assert "No such file" not in command.run("logs", "motor").stderr
    assert core.read("recovery") == "enabled"
    command.run("delete", "motor")
    assert double.leftovers() == []


def test_given_up_out_of_another_root(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path
) -> None:
    """The supervisor undoes what create has made, by the same paths."""
    hooks = {"createRuntime": [{"path": "/bin/false"}]}
    bundle = write_bundle(tmp_path / "bundle", firmware, hooks=hooks)
    command.run("create", "-b", bundle, "--pid-file", tmp_path / "pid", "motor", code=1)
    assert double.leftovers() == []
    assert not (tmp_path / "pid").exists()
    assert core.state == "offline"


def test_messages_name_the_machine_s_paths(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path
) -> None:
    command.create(firmware, "motor")
    in_the_way = double.claims / f"{core.device}.journal"
    in_the_way.unlink()
    in_the_way.mkdir()
    outcome = command.run("start", "motor", code=1)
    expected = f"cannot write `{double.claims}/{core.device}.journal`"
    assert expected in outcome.stderr
    assert expected in (double.root / "motor/log").read_text()


def test_the_machine_stays_when_its_namespace_is_left_by_all(
    command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path
) -> None:
    """A service with mounts of its own ends after create: the supervisor still sees what that one saw."""
    bundle = write_bundle(tmp_path / "bundle", firmware)
    private = tmp_path / "private"
    private.mkdir()
    script = f'mount -t tmpfs none {private} && cp -a {bundle} {private}/bundle && exec "$@"'
    prefix = ("/usr/bin/env", "unshare", "--mount", "sh", "-c", script, "sh")
    process, outcome = command.spawn("create", "-b", private / "bundle", "motor", prefix=prefix)
    assert process.wait(20) == 0, outcome
    pid = command.record("motor")["pid"]
    assert inside(pid, "os.listdir('/')").stdout == "['fw.elf']\n"
    assert list(private.iterdir()) == []
    command.run("start", "motor")
    assert core.state == "running"
    command.run("kill", "motor")
    assert command.exit_code(pid) == 0


def test_without_the_capability(command: Command, core: ProcessorDouble, firmware: Path, tmp_path: Path) -> None:
    """As a service user, or as root in most containers: who cannot make a namespace cannot join one either."""
    bundle = write_bundle(tmp_path / "bundle", firmware)
    drop = ("/usr/bin/env", "setpriv", "--bounding-set", "-sys_admin")
    process, outcome = command.spawn("create", "-b", bundle, "motor", prefix=drop)
    assert process.wait(20) == 0, outcome
    pid = command.record("motor")["pid"]
    assert namespace(pid) == namespace("self")
    joined = subprocess.run(
        [*drop, "nsenter", "--target", str(pid), "--mount", "true"], capture_output=True, text=True, check=False
    )
    assert joined.returncode == 1
    assert "Operation not permitted" in joined.stderr
    command.run("start", "motor")
    assert core.state == "running"
    process, outcome = command.spawn("doctor", prefix=drop)
    process.wait(20)
    assert "keep the machine's root" in outcome.stdout
    assert "keep the machine's root" not in command.run("doctor", code=None).stdout


@pytest.mark.alone
def test_a_chroot_is_left_as_it_is(tmp_path: Path) -> None:
    """There the namespace's root is out of sight, and not ours to replace."""

    def act() -> object:
        os.chroot(tmp_path)
        os.chdir("/")
        entered = enter_own_root("")
        return entered, namespace("self") == before, names("/"), names(".")

    (tmp_path / "proc").mkdir()
    before = namespace("self")
    subprocess.run(["mount", "--bind", "/proc", str(tmp_path / "proc")], check=True)
    try:
        assert in_child(act) == "(False, True, ['proc'], ['proc'])"
    finally:
        subprocess.run(["umount", str(tmp_path / "proc")], check=True)


@pytest.mark.alone
def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    def act() -> object:
        descriptors = names("/proc/self/fd")
        with pytest.raises(OSError, match="No such file"):
            enter_own_root(str(tmp_path / "absent"))
        return namespace("self") == before, names("/") == root, names("/proc/self/fd") == descriptors

    before, root = namespace("self"), names("/")
    assert in_child(act) == "(True, True, True)"


@pytest.mark.alone
def test_a_root_that_cannot_be_taken_away_is_covered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pivot_root(2) refuses where the machine runs from its initial RAM file system."""
    call = system_calls.call_c_library

    def refusing(name: str, *arguments: int | bytes | None) -> None:
        if name == "pivot_root":
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        call(name, *arguments)

    def act() -> object:
        os.chdir("/")
        entered = enter_own_root(str(tmp_path))
        ours = os.open("./proc/self/ns/mnt", os.O_RDONLY)
        found = entered, names("/"), names("/.."), Path("proc/self").is_dir()
        mount_namespace._join(ours)
        return *found, names("/"), names(".")

    (tmp_path / "fw.elf").touch()
    monkeypatch.setattr(mount_namespace, "call_c_library", refusing)
    assert in_child(act) == "(True, ['fw.elf'], ['fw.elf'], True, ['fw.elf'], ['fw.elf'])"


def test_it_takes_the_capability() -> None:
    assert can_be_made()


@pytest.mark.alone
def test_paths_of_the_machine(tmp_path: Path) -> None:
    """From its root as working folder, also those behind absolute links and those that are not there yet."""

    def act() -> object:
        os.chdir("/")
        reach_machine_from_working_folder([str(tmp_path / "link"), str(tmp_path / "link/later"), ""])
        path = on_machine(f"{tmp_path}/link/later/file")
        return path, on_machine("/sys"), as_named(f"`{path}` and `./x`"), as_named(path), as_named("./.")

    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    link(tmp_path / "relative", tmp_path / "there")
    there = f"{tmp_path}/there/later/file"
    assert on_machine("/sys") == "/sys"
    assert as_named("`./x`") == "`./x`"
    assert in_child(act) == repr((f".{there}", "./sys", f"`{there}` and `/x`", there, "/."))
