"""Debian-made images with container engines inside."""

from pathlib import Path

import pytest

from hybrid_hil.__main__ import run
from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image import ImageRequest
from hybrid_hil.image.assembly import assembly_for
from hybrid_hil.image.debian.assembly import find_parts
from hybrid_hil.image.debian.engines import ALTERNATIVES, PACKAGES, engines_named, packages_of, set_up
from hybrid_hil.image.debian.kernel import fragments_for
from hybrid_hil.image.debian.release import RELEASES
from hybrid_hil.image.debian.request import debian_request
from hybrid_hil.image.keys import COMPONENT as KEYS
from hybrid_hil.image.keys import make_keys
from hybrid_hil.image.store import Store
from hybrid_hil.terminal import QuietReporter


def test_names_come_sorted_and_once() -> None:
    assert engines_named(["podman", "docker", "podman"]) == ("docker", "podman")
    with pytest.raises(RigError, match="no engine `lxc`"):
        engines_named(["podman", "lxc"])


def test_each_with_of_the_command_line_counts(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a list it might take the last, and an image without the rest would be built."""
    assert run(["image", "build", "--with", "lxc", "--with", "lxd,podman"]) == 2
    assert "no engine `lxc, lxd`" in capsys.readouterr().err


def test_packages_come_once() -> None:
    packages = packages_of(PACKAGES, RELEASES["13"])
    assert len(packages) == len(set(packages))
    assert {"podman", "crun", "containerd", "runc", "docker.io", "docker-registry"} <= set(packages)


def test_docker_s_client_is_a_package_of_its_own_since_debian_13() -> None:
    assert "docker-cli" in packages_of(["docker"], RELEASES["13"])
    assert "docker-cli" not in packages_of(["docker"], RELEASES["12"])
    assert "docker-cli" not in packages_of(["podman"], RELEASES["13"])


def test_what_a_release_lacks_is_refused_by_name() -> None:
    with pytest.raises(RigError, match=r"Debian 12 has no package of `buildx, oras`") as refused:
        packages_of(["buildx", "oras", "podman"], RELEASES["12"])
    assert refused.value.remedy == "--debian may be 13, testing"


def test_kernel_and_root_file_system_are_others_and_the_rest_is_shared(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(KEYS, make_keys, QuietReporter(), "making the keys")
    plain, podman, docker = (
        find_parts(store, checkout_root(), debian_request(None, None, names))
        for names in ((), ("podman",), ("docker",))
    )
    assert (plain.source, plain.platform) == (podman.source, podman.platform)
    assert plain.kernel != podman.kernel == docker.kernel
    assert len({plain.rootfs, podman.rootfs, docker.rootfs}) == 3
    assert all((checkout_root() / fragment).is_file() for fragment in fragments_for(["podman"]))


def test_another_release_is_another_root_file_system_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.ensure(KEYS, make_keys, QuietReporter(), "making the keys")
    usual, trixie = (find_parts(store, checkout_root(), debian_request(name, None, ())) for name in (None, "13"))
    assert (usual.source, usual.kernel, usual.platform) == (trixie.source, trixie.kernel, trixie.platform)
    assert (usual.rootfs, usual.interpreter, usual.image) != (trixie.rootfs, trixie.interpreter, trixie.image)
    with pytest.raises(RigError, match="no Debian `14`"):
        debian_request("14", None, ())


def test_buildroot_has_them_by_its_defconfig(tmp_path: Path) -> None:
    for inside in (
        debian_request(None, None, ["podman"]),
        debian_request("13", None, ()),
        debian_request(None, "6.1", ()),
    ):
        with pytest.raises(RigError, match="chosen for Debian-made images"):
            assembly_for(ImageRequest("buildroot", debian=inside), Store(tmp_path), QuietReporter())


def test_packages_get_what_their_scripts_would_have_made(tmp_path: Path) -> None:
    set_up(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["var"]
    assert (tmp_path / "var/tmp").stat().st_mode & 0o7777 == 0o1777
    programs = tmp_path / "usr/sbin"
    programs.mkdir(parents=True)
    (programs / "xtables-nft-multi").touch()
    set_up(tmp_path)
    assert {str((programs / name).readlink()) for name in ALTERNATIVES} == {"xtables-nft-multi"}
