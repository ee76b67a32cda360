"""Container engines inside the image, and systemd for them: Debian's packages, and what their maintainer scripts would
have set up."""

from collections.abc import Iterable
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.image.debian.release import RELEASES, DebianRelease

# With what they only recommend: the network that a container gets when nobody says which, a pod's first program.
# Programs of CRI-O and Kubernetes are given; podman's package has what those of CRI-O expect beside them.
PACKAGES = {
    "containerd": ("containerd", "runc"),
    "docker": ("docker.io", "iptables"),
    "podman": ("podman", "crun", "netavark", "iptables", "catatonit"),
    "crio": ("podman", "conmon", "crun", "iptables"),
    # A node: the kubelet is given, and mounts what pods are given.
    "kubernetes": ("containerd", "runc", "containernetworking-plugins", "iptables", "mount"),
    "compose": ("docker-compose",),
    "buildx": ("docker-buildx",),
    "buildah": ("buildah",),
    # Its images may have layers that an older Python has no module for.
    "skopeo": ("skopeo", "zstd"),
    "oras": ("oras",),
    "registry": ("docker-registry",),
    "rootless": ("uidmap", "passt"),
    "systemd": ("systemd-sysv", "dbus", "udev"),
}
SYSTEMD_OVERLAY = "buildroot/board/versal-virt/overlay-systemd"
FRAGMENT = "buildroot/board/versal-virt/linux-engines.fragment"
DISK_MEBIBYTES = 1024
# Whose its socket is, by docker.socket.
DOCKER_GROUP = 995
# update-alternatives(1) of Debian's iptables.
ALTERNATIVES = ("iptables", "iptables-restore", "iptables-save", "ip6tables", "ip6tables-restore", "ip6tables-save")


def engines_named(names: Iterable[str]) -> tuple[str, ...]:
    """In the order of the alphabet, each once. Raises RigError for what cannot be had."""
    wanted = sorted(set(names))
    unknown = [name for name in wanted if name not in PACKAGES]
    if unknown:
        raise RigError(f"no engine `{', '.join(unknown)}`", f"there are {', '.join(PACKAGES)}", exit_code=2)
    return tuple(wanted)


def packages_of(engines: Iterable[str], release: DebianRelease) -> tuple[str, ...]:
    """Each once. Raises RigError for an engine that the release does not have."""
    missing = [engine for engine in engines if engine in release.lacks]
    if missing:
        have = ", ".join(other.name for other in RELEASES.values() if not set(missing) & set(other.lacks))
        raise RigError(
            f"Debian {release.name} has no package of `{', '.join(missing)}`", f"--debian may be {have}", exit_code=2
        )
    found = dict.fromkeys(package for engine in engines for package in PACKAGES[engine])
    return (*found, *(release.docker_client if "docker.io" in found else ()))


def set_up(root: Path) -> None:
    """What packages that are only unpacked lack: podman loads images through /var/tmp (base-files makes it)."""
    scratch = root / "var/tmp"
    scratch.mkdir(parents=True, exist_ok=True)
    scratch.chmod(0o1777)
    if (root / "usr/bin/dockerd").exists() or (root / "usr/sbin/dockerd").exists():
        with (root / "etc/group").open("a", encoding="ascii") as groups:
            groups.write(f"docker:x:{DOCKER_GROUP}:\n")
    programs = root / "usr/sbin"
    if (programs / "xtables-nft-multi").exists():
        for name in ALTERNATIVES:
            (programs / name).symlink_to("xtables-nft-multi")
