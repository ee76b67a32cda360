"""The board's root file system: Debian packages and the overlay shared with Buildroot, as one ext4 file."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.host import find_program
from hybrid_hil.image import keys
from hybrid_hil.image.child import BuildRunner
from hybrid_hil.image.debian import engines as engine_packages
from hybrid_hil.image.debian import packages
from hybrid_hil.image.debian.engines import packages_of
from hybrid_hil.image.debian.release import DebianRelease
from hybrid_hil.image.debian.request import DebianRequest
from hybrid_hil.image.fingerprint import Fingerprint
from hybrid_hil.image.folder import DISK, HOST_KEY, write_manifest
from hybrid_hil.image.store import Component, remove_tree
from hybrid_hil.terminal import Step

OVERLAY = "buildroot/board/versal-virt/overlay"
PACKAGES = ("busybox-static", "dropbear-bin", "python3", "strace")
ARCHITECTURE = "arm64"
DISK_MEBIBYTES = 256
INODES_PER_MEBIBYTE = 64

LEFT_OUT = (
    "etc/apt",
    "etc/dpkg",
    "etc/resolv.conf",
    "usr/share/doc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/perl5",
    "usr/share/zsh",
    "var/cache",
    "var/lib/apt",
    "var/lib/dpkg",
)
LEFT_OUT_OF_LIBRARY = ("idlelib", "lib2to3", "pydoc_data", "turtledemo")
FOLDERS = ("dev", "etc/dropbear", "lib/firmware", "mnt", "proc", "root/.ssh", "run", "sys", "tmp", "var/log")
ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n",
    "etc/shadow": "root:*:::::::\nnobody:*:::::::\n",
    "etc/group": "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n",
    "etc/shells": "/bin/sh\n",
}
MODES = {"tmp": 0o1777, "root": 0o700, "root/.ssh": 0o700, "etc/shadow": 0o600}

# Fixed, so that the same contents make the same file system.
FILE_SYSTEM_ID = "0f7c6f2e-6d1b-4c58-9a53-3d0c1d1f7a41"
EPOCH = 1_700_000_000


def rootfs_component(checkout: Path, keys_folder: Path, request: DebianRequest) -> Component:
    release = request.release
    inputs = Fingerprint()
    for overlay in overlays(request):
        inputs.tree(overlay, checkout / overlay)
    inputs.recipe(Path(__file__))
    inputs.recipe(Path(packages.__file__))
    inputs.text("packages", release.suite, release.python, *PACKAGES, *packages_of(request.engines, release))
    if request.engines:
        inputs.recipe(Path(engine_packages.__file__))
    for given in request.given:
        given.fingerprint(inputs)
    inputs.file("host key", keys_folder / HOST_KEY)
    inputs.file("login key", keys_folder / keys.AUTHORIZED_KEYS)
    return Component("rootfs", inputs.digest())


class RootfsRecipe:
    """Builds the disk from the overlay of `checkout`, the keys in `keys_folder` and Debian's packages. `interpreter` is
    the folder with the release's Python for this machine."""

    def __init__(self, checkout: Path, keys_folder: Path, interpreter: Path, request: DebianRequest) -> None:
        self._engines = request.engines
        self._given = request.given
        self._overlays = [checkout / overlay for overlay in overlays(request)]
        self._keys = keys_folder
        self._interpreter = interpreter
        self._release = request.release

    def build(self, folder: Path, runner: BuildRunner, step: Step) -> None:
        release, root = self._release, folder / "root"
        step.detail("fetching and unpacking packages")
        wanted = (*PACKAGES, *packages_of(self._engines, release))
        versions = packages.extract_packages(runner, wanted, ARCHITECTURE, root, release.suite)
        (folder / "root.apt.conf").unlink()
        step.detail("furnishing")
        furnish(root, self._overlays, self._keys, release)
        if self._engines:
            engine_packages.set_up(root)
        for given in self._given:
            given.put(root)
        step.detail("compiling python's library")
        self._compile_library(root, runner)
        step.detail("making the file system")
        settle_times(root)
        size = engine_packages.DISK_MEBIBYTES if self._engines else DISK_MEBIBYTES
        make_file_system(root, folder / DISK, size, runner)
        remove_tree(root)
        write_manifest(folder, {"debian": release.name, "suite": release.suite, "packages": versions})

    def _compile_library(self, root: Path, runner: BuildRunner) -> None:
        """In one process: compileall's workers would be started by the path of the interpreter's program, which runs
        by its own loader only."""
        flags = ("-q", "--invalidation-mode=unchecked-hash", "-s", root, "-p", "/")
        interpreter = self._interpreter / self._release.python
        # PYTHONDONTWRITEBYTECODE is no obstacle to compileall; -I keeps everything else of the caller's out.
        runner.run([interpreter, "-I", "-m", "compileall", *flags, root / self._release.library])


def overlays(request: DebianRequest) -> tuple[str, ...]:
    """Where several have a file, the last of them counts."""
    return (OVERLAY, engine_packages.SYSTEMD_OVERLAY) if "systemd" in request.engines else (OVERLAY,)


def furnish(root: Path, overlays: Iterable[Path], keys_folder: Path, release: DebianRelease) -> None:
    """Makes unpacked packages of `release` a system that boots: one /usr, accounts, busybox's commands, overlay,
    keys."""
    for name in (*LEFT_OUT, *(f"{release.library}/{name}" for name in LEFT_OUT_OF_LIBRARY)):
        remove(root / name)
    remove_tree(root / "dev")
    packages.merge_usr(root)
    for name in FOLDERS:
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, text in ACCOUNTS.items():
        (root / name).write_text(text, encoding="ascii")
    link_applets(root)
    for overlay in overlays:
        lay_over(overlay, root)
    shutil.copy(keys_folder / keys.DROPBEAR_HOST_KEY, root / "etc/dropbear")
    shutil.copy(keys_folder / keys.AUTHORIZED_KEYS, root / "root/.ssh")
    for name, mode in MODES.items():
        (root / name).chmod(mode)


def lay_over(overlay: Path, root: Path) -> None:
    """The overlay's files and links take the place of what packages have brought."""
    for path in overlay.rglob("*"):
        if path.is_symlink():
            remove(root / path.relative_to(overlay))
    shutil.copytree(overlay, root, symlinks=True, dirs_exist_ok=True)


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def link_applets(root: Path) -> None:
    """Links each of busybox's commands that no package brings, where PID 1 is looked for and in /bin."""
    binary = root / "usr/bin/busybox"
    for applet in applets(binary.read_bytes()):
        link = root / "usr/bin" / applet
        if not link.is_symlink() and not link.exists():
            link.symlink_to("busybox")
    init = root / "usr/sbin/init"
    if not init.is_symlink():
        init.symlink_to("../bin/busybox")


def applets(binary: bytes) -> list[str]:
    """The commands in a busybox program, which cannot be run here: its sorted table of NUL-ended names
    (applet_names in include/applet_tables.h), which begins with `[` and `[[` and ends with an empty name.

    Raises:
        RigError: there is no such table.
    """
    start = binary.find(b"[\0[[\0")
    names = binary[start : binary.find(b"\0\0", start)].decode("ascii", "replace").split("\0")
    if start < 0 or not {"sh", "init", "mount", "poweroff"} <= set(names):
        raise RigError(
            "the busybox package has no table of commands", "name another mirror in HYBRID_HIL_DEBIAN_MIRROR"
        )
    return names


def settle_times(root: Path) -> None:
    """Gives everything below `root` the same time: when it was unpacked says nothing."""
    for parent, folders, files in os.walk(root, topdown=False):
        for name in (*folders, *files):
            os.utime(Path(parent, name), (EPOCH, EPOCH), follow_symlinks=False)


def make_file_system(root: Path, disk: Path, mebibytes: int, runner: BuildRunner) -> None:
    """Packs `root` into a new ext4 file of that size without mounting it, everything owned by root."""
    options = f"hash_seed={FILE_SYSTEM_ID},root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0"
    labels = ("-L", "rootfs", "-U", FILE_SYSTEM_ID)
    with disk.open("wb") as file:
        file.truncate(mebibytes << 20)
    environment = {"E2FSPROGS_FAKE_TIME": str(EPOCH)}
    runner.run(
        [
            _tool("mke2fs"),
            "-q",
            "-F",
            "-t",
            "ext4",
            "-m",
            "0",
            "-b",
            "4096",
            "-N",
            str(INODES_PER_MEBIBYTE * mebibytes),
            "-E",
            options,
            *labels,
            "-d",
            root,
            disk,
        ],
        environment=environment,
    )
    if os.geteuid() != 0:
        give_to_root(root, disk, runner)
    disk.chmod(0o444)


def give_to_root(root: Path, disk: Path, runner: BuildRunner) -> None:
    """mke2fs copies the owners it sees; this sets them to 0 inside the file system."""
    inner = [f'"/{path.relative_to(root)}"' for path in sorted(root.rglob("*"))]
    script = disk.with_name("owners.debugfs")
    commands = [f"set_inode_field {path} {field} 0\n" for path in inner for field in ("uid", "gid")]
    script.write_text("".join(commands), encoding="utf-8")
    runner.run([_tool("debugfs"), "-w", "-f", script, disk])
    script.unlink()


def _tool(name: str) -> str:
    return find_program(name) or name
