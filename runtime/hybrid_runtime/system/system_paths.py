"""Where the kernel and this runtime keep things on the machine, below one injectable root folder."""

import posix as os

from hybrid_runtime.system.path import is_folder, on_machine


class SystemPaths:
    """Paths of one machine. `sysroot` is "" for the real one; unit tests give a folder."""

    def __init__(self, sysroot: str = "") -> None:
        self.sysroot = sysroot.rstrip("/")

    def path(self, absolute: str) -> str:
        return on_machine(self.sysroot + absolute)

    @property
    def remoteproc_class(self) -> str:
        """Documentation/ABI/testing/sysfs-class-remoteproc."""
        return self.path("/sys/class/remoteproc")

    @property
    def claims(self) -> str:
        """Fixed, whatever --root says: engines use different roots on the same processors."""
        return self.path("/run/hybrid-runtime-claims")

    @property
    def coredumps(self) -> str:
        """Where copies of crashed cores' memory are kept."""
        return self.path("/var/lib/hybrid-runtime/coredumps")

    @property
    def kernel_log(self) -> str:
        return self.path("/dev/kmsg")

    def device_node(self, device: str) -> str:
        """The character device of CONFIG_REMOTEPROC_CDEV."""
        return self.path(f"/dev/{device}")

    def trace_folder(self, device: str) -> str:
        return self.path(f"/sys/kernel/debug/remoteproc/{device}")

    def boot_id(self) -> str:
        """The first 8 hexadecimal digits of the kernel's boot id; another boot has another."""
        try:
            with open(self.path("/proc/sys/kernel/random/boot_id"), encoding="utf-8") as source:
                return source.read(8)
        except OSError:
            return "00000000"


def default_root(system: SystemPaths) -> str:
    """The folder of all containers when --root is not given.

    From ids only: engines call with an empty or foreign environment.
    """
    if system.sysroot:
        return system.path("/run/hybrid-runtime")
    user = os.geteuid()
    if user == 0 and _is_identity_map():
        return "/run/hybrid-runtime"
    user = _outer_user(user)
    if is_folder(f"/run/user/{user}"):
        return f"/run/user/{user}/hybrid-runtime"
    return f"/tmp/hybrid-runtime-{user}"


def _uid_map() -> list[list[int]]:
    try:
        with open("/proc/self/uid_map", encoding="utf-8") as source:
            return [[int(number) for number in line.split()] for line in source]
    except OSError:
        return [[0, 0, 1 << 32]]


def _is_identity_map() -> bool:
    return all(inner == outer for inner, outer, _ in _uid_map())


def _outer_user(user: int) -> int:
    for inner, outer, count in _uid_map():
        if inner <= user < inner + count:
            return outer + user - inner
    return user
