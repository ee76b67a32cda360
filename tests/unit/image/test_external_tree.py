"""The BR2_EXTERNAL tree, as far as it can be checked without Buildroot; and that both images are made of the same
kernel configuration and overlay."""

import hashlib
import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian import kernel, rootfs
from hybrid_hil.image.debian.engines import DISK_MEBIBYTES
from hybrid_hil.image.folder import open_image
from hybrid_hil.image.kconfig import lost_lines, symbol_of

EXTERNAL = checkout_root() / "buildroot"
PLAIN = EXTERNAL / "configs/hybrid_versal_virt_defconfig"
ENGINES = EXTERNAL / "configs/hybrid_versal_virt_engines_defconfig"
PATH_VARIABLE = re.compile(r"\$[({]?BR2_EXTERNAL_HYBRID_RUNTIME_PATH[)}]?(/[\w.][\w./*-]*)")


def symbols(defconfig: Path) -> dict[str, str]:
    """Values by symbol, quotes removed, the external tree's path as it stands in this checkout."""
    found = {}
    for line in defconfig.read_text().splitlines():
        symbol = symbol_of(line)
        assert symbol is not None, line
        value = line.partition("=")[2].strip('"')
        found[symbol] = value.replace("$(BR2_EXTERNAL_HYBRID_RUNTIME_PATH)", "buildroot")
    return found


def test_name_is_one_that_buildroot_accepts() -> None:
    fields = dict(line.split(": ", 1) for line in (EXTERNAL / "external.desc").read_text().splitlines())
    assert re.fullmatch(r"[A-Z0-9_]+", fields["name"])
    assert len(fields["desc"]) <= 40


def leads_somewhere(path: str) -> bool:
    """`path` begins with a slash, may have wildcards, and may leave the tree for the rest of the checkout."""
    parent, pattern = (EXTERNAL.parent, path[4:]) if path.startswith("/../") else (EXTERNAL, path[1:])
    return any(parent.glob(pattern))


def test_every_path_into_the_tree_leads_somewhere() -> None:
    files = [EXTERNAL / "Config.in", EXTERNAL / "external.mk", PLAIN, ENGINES, *EXTERNAL.glob("package/*/*.mk")]
    named = {path for file in files for path in PATH_VARIABLE.findall(file.read_text())}
    assert len(named) > 10
    assert [path for path in named if not leads_somewhere(path)] == []


def test_each_package_is_offered() -> None:
    offered = re.findall(r"/package/([\w-]+)/Config.in", (EXTERNAL / "Config.in").read_text())
    assert offered == sorted(path.name for path in (EXTERNAL / "package").iterdir())


@pytest.mark.parametrize(("defconfig", "engines"), [(PLAIN, ()), (ENGINES, ("podman",))], ids=["plain", "engines"])
def test_both_images_have_the_same_kernel_configuration_and_overlay(defconfig: Path, engines: tuple[str, ...]) -> None:
    wanted = symbols(defconfig)
    fragments = wanted["BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES"].split()
    configured = [wanted["BR2_LINUX_KERNEL_CUSTOM_CONFIG_FILE"], *fragments]
    assert tuple(configured) == kernel.fragments_for(engines)
    assert wanted["BR2_ROOTFS_OVERLAY"] == rootfs.OVERLAY


def test_both_images_have_a_disk_of_the_same_size_and_the_programs_tests_use() -> None:
    wanted = symbols(PLAIN)
    assert wanted["BR2_TARGET_ROOTFS_EXT2_SIZE"] == f"{rootfs.DISK_MEBIBYTES}M"
    # mke2fs draws both at random unless it is told.
    for option in (f"-U {rootfs.FILE_SYSTEM_ID}", f"hash_seed={rootfs.FILE_SYSTEM_ID}"):
        assert option in wanted["BR2_TARGET_ROOTFS_EXT2_MKFS_OPTIONS"]
    packages = {"busybox-static": "BUSYBOX_CONFIG_FRAGMENT_FILES", "dropbear-bin": "DROPBEAR"}
    for package in rootfs.PACKAGES:
        assert f"BR2_PACKAGE_{packages.get(package, package.upper())}" in wanted


def test_engines_are_added_to_the_plain_image() -> None:
    plain, engines = symbols(PLAIN), symbols(ENGINES)
    changed = {symbol for symbol, value in plain.items() if engines.get(symbol) != value}
    assert changed == {"BR2_LINUX_KERNEL_CONFIG_FRAGMENT_FILES", "BR2_TARGET_ROOTFS_EXT2_SIZE"}
    added = {symbol.removeprefix("BR2_PACKAGE_") for symbol in engines.keys() - plain.keys()}
    assert engines["BR2_TARGET_ROOTFS_EXT2_SIZE"] == f"{DISK_MEBIBYTES >> 10}G"
    assert {"PODMAN", "CRUN", "RUNC", "DOCKER_ENGINE", "DOCKER_CLI", "CONTAINERD_CRI"} <= added


@pytest.mark.parametrize(("package", "sources"), [("hybrid-runtime", "runtime"), ("hybrid-board-firmware", "qemu")])
def test_license_goes_with_the_sources(package: str, sources: str) -> None:
    license_text = (checkout_root() / "LICENSE").read_bytes()
    assert (checkout_root() / sources / "LICENSE").read_bytes() == license_text
    hashes = (EXTERNAL / f"package/{package}/{package}.hash").read_text().split()
    assert hashlib.sha256(license_text).hexdigest() in hashes


def test_version_is_the_runtimes() -> None:
    project = tomllib.loads((checkout_root() / "runtime/pyproject.toml").read_text())["project"]
    recipe = (EXTERNAL / "package/hybrid-runtime/hybrid-runtime.mk").read_text()
    assert f"HYBRID_RUNTIME_VERSION = {project['version']}\n" in recipe
    assert f"HYBRID_RUNTIME_LICENSE = {project['license']['text']}\n" in recipe


def test_scripts_can_be_run() -> None:
    scripts = [path for path in EXTERNAL.rglob("*") if path.suffix == ".sh" or "init.d" in path.parts]
    assert len(scripts) > 5
    assert [path for path in scripts if path.is_file() and not os.access(path, os.X_OK)] == []


def lost(configuration: Path, folder: Path, *fragments: Path) -> subprocess.CompletedProcess[str]:
    script = EXTERNAL / "board/lost-lines.sh"
    return subprocess.run([script, configuration, folder, *fragments], check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("CONFIG_A=y\n", "", []),
        ("CONFIG_C=y\n", "# CONFIG_C is not set\n", []),
        ("# CONFIG_A is not set\n", "CONFIG_A=y\n", []),
        ("# CONFIG_NOWHERE is not set\n# prose about CONFIG_LOST\n", "", []),
        ("CONFIG_LOST=y\n", "CONFIG_A=y\n", ["lost: CONFIG_LOST=y"]),
        ("CONFIG_B=6\n", "", ["lost: CONFIG_B=6"]),
        ("CONFIG_A=y\n", "# CONFIG_A is not set\n", ["switched on after all: CONFIG_A"]),
    ],
)
def test_lost_lines_are_found(tmp_path: Path, first: str, second: str, told: list[str]) -> None:
    configuration = "CONFIG_A=y\nCONFIG_B=5\n# CONFIG_C is not set\n"
    for name, text in (("config", configuration), ("first", first), ("second", second)):
        (tmp_path / name).write_text(text)
    done = lost(tmp_path / "config", tmp_path, tmp_path / "first", tmp_path / "second")
    assert [line for line in done.stderr.splitlines() if ": " in line] == told
    assert done.returncode == any(line.startswith("lost") for line in told)
    if not second:
        assert [f"lost: {line}" for line in lost_lines(first, configuration)] == told


def test_fragments_of_others_are_theirs_but_count(tmp_path: Path) -> None:
    """A team that sets a symbol of ours again has the last word, and is not told about its own."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder, text in ((ours, "CONFIG_A=m\nCONFIG_B=5\n"), (theirs, "CONFIG_A=y\nCONFIG_LOST=y\n")):
        folder.mkdir()
        (folder / "fragment").write_text(text)
    (tmp_path / "config").write_text("CONFIG_A=y\nCONFIG_B=5\n")
    done = lost(tmp_path / "config", ours, ours / "fragment", theirs / "fragment")
    assert (done.returncode, done.stderr) == (0, "")


def test_configuration_of_somebody_elses_is_not_checked(tmp_path: Path) -> None:
    (tmp_path / "config").touch()
    assert lost(tmp_path / "config", tmp_path).returncode == 0


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    for name in ("authorized_keys", "dropbear_ed25519_host_key", "host_key.pub", "login_key"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A root file system as the package dropbear leaves it."""
    folder = tmp_path / "target"
    (folder / "etc").mkdir(parents=True)
    (folder / "root").mkdir()
    (folder / "etc/dropbear").symlink_to("/var/run/dropbear")
    return folder


def run_script(name: str, folder: Path, **environment: object) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if key != "HYBRID_BOARD_KEYS"}
    clean.update({key: str(value) for key, value in environment.items()})
    command = [EXTERNAL / "board" / name, folder]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=clean)


def test_keys_are_put_where_dropbear_reads_them(target: Path, keys: Path) -> None:
    for _ in range(2):
        assert run_script("rig/post-build.sh", target, HYBRID_BOARD_KEYS=keys).returncode == 0
    assert (target / "root/.ssh/authorized_keys").read_text() == "authorized_keys"
    host_key = target / "etc/dropbear/dropbear_ed25519_host_key"
    assert host_key.stat().st_mode & 0o777 == 0o600


def test_an_image_without_keys_of_the_rig_keeps_its_own(target: Path) -> None:
    assert "nobody can log in" in run_script("rig/post-build.sh", target).stderr
    (target / "root/.ssh").mkdir()
    (target / "root/.ssh/authorized_keys").write_text("a team's own")
    done = run_script("rig/post-build.sh", target)
    assert (done.returncode, done.stderr) == (0, "")
    assert (target / "root/.ssh/authorized_keys").read_text() == "a team's own"
    assert (target / "etc/dropbear").is_symlink()


def test_nothing_that_nobody_asked_for_starts(target: Path) -> None:
    """Scripts of Buildroot's packages: kmod, cgroupfs-v2-mount, iptables, docker-engine."""
    scripts = target / "etc/init.d"
    scripts.mkdir()
    for name in ("S11modules", "S30cgroupfs2", "S35iptables", "S50dropbear", "S60dockerd"):
        (scripts / name).touch()
    for _ in range(2):
        assert run_script("versal-virt/post-build.sh", target).returncode == 0
        assert [path.name for path in scripts.iterdir()] == ["S50dropbear"]


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What Buildroot leaves: the folder with its images, the kernel's beside it."""
    images, linux = tmp_path / "images", tmp_path / "linux"
    (images / "platform").mkdir(parents=True)
    (tmp_path / "target/usr/bin").mkdir(parents=True)
    (linux / "include/config").mkdir(parents=True)
    (linux / "include/config/kernel.release").write_text("6.12.1\n")
    for file in (images / "Image", images / "rootfs.ext4", linux / ".config", linux / "System.map"):
        file.touch()
    return images


def finish(images: Path, **environment: object) -> subprocess.CompletedProcess[str]:
    places = {"HYBRID_LINUX_DIR": images.with_name("linux"), "TARGET_DIR": images.with_name("target")}
    return run_script("rig/post-image.sh", images, BR2_VERSION_FULL="2026.02.3", **places, **environment)


def test_what_a_build_leaves_is_an_image(built: Path, keys: Path) -> None:
    assert finish(built, HYBRID_BOARD_KEYS=keys).returncode == 0
    image = open_image(built)
    assert image.manifest["origin"] == "buildroot"
    assert image.manifest["kernel_version"] == "6.12.1"
    assert image.login_key.stat().st_mode & 0o777 == 0o600


def test_keys_of_an_earlier_build_are_not_taken_for_this_ones(built: Path, keys: Path) -> None:
    finish(built, HYBRID_BOARD_KEYS=keys)
    assert finish(built).returncode == 0
    with pytest.raises(RigError, match=r"lacks host_key\.pub, login_key"):
        open_image(built)


@pytest.mark.parametrize(
    ("programs", "engines"),
    [
        ([], []),
        (["podman"], ["podman"]),
        (["podman", "dockerd", "containerd", "docker", "runc"], ["containerd", "docker", "podman"]),
    ],
)
def test_tests_are_told_of_the_engines(built: Path, keys: Path, programs: list[str], engines: list[str]) -> None:
    for name in programs:
        (built.with_name("target") / "usr/bin" / name).touch()
    assert finish(built, HYBRID_BOARD_KEYS=keys).returncode == 0
    assert open_image(built).manifest["engines"] == engines


@pytest.mark.parametrize("file", ["Image", "rootfs.ext4"])
def test_a_missing_part_fails_the_build(built: Path, file: str) -> None:
    (built / file).unlink()
    done = finish(built)
    assert done.returncode != 0
    assert f"no {built}/{file}" in done.stderr
    assert not (built / "manifest.json").exists()
