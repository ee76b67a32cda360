"""Where the kernel and this runtime keep things on the machine, below one injectable root folder."""

import posix as os

from hybrid_runtime.path import decoded, is_folder, on_machine


class Machine:
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

    def firmware_path(self) -> str:
        """The folder in which the kernel looks first, as it takes firmware_class.path; "" where that is not set."""
        try:
            with open(self.path("/sys/module/firmware_class/parameters/path"), "rb") as parameter:
                # param_get_string of kernel/params.c adds the line end.
                text = decoded(parameter.read()).removesuffix("\n")
        except OSError:
            return ""
        return taken_by_kernel(text, os.uname().release) if "\n" in text else text

    def firmware_folder(self) -> str:
        """Where the kernel finds what is installed: firmware_class.path, else /lib/firmware.

        drivers/base/firmware_loader/main.c, fw_path[]: /lib/firmware comes last, and is looked in whatever the
        parameter says, which is a global setting of the system. A folder of that name is made, but never one that
        nobody can have meant.
        """
        configured = self.firmware_path()
        # A relative one is taken from the root (kernel_read_file_from_path_initns).
        folder = configured if configured.startswith("/") else f"/{configured}"
        if configured and (is_meant(configured) or is_folder(self.path(folder))):
            return self.path(folder)
        return self.path("/lib/firmware")

    def firmware_folders(self) -> list[str]:
        """All that containers may have been installed in: the parameter can change while one lives."""
        return sorted({self.firmware_folder(), self.path("/lib/firmware")})

    def boot_id(self) -> str:
        """The first 8 hexadecimal digits of the kernel's boot id; another boot has another."""
        try:
            with open(self.path("/proc/sys/kernel/random/boot_id"), encoding="utf-8") as source:
                return source.read(8)
        except OSError:
            return "00000000"


def taken_by_kernel(text: str, release: str) -> str:
    """What `echo DIR > path` has left: a kernel before 6.4 keeps the line end and looks in a folder with it in its
    name, a later one cuts the text there (fw_get_filesystem_firmware)."""
    major, _, rest = release.partition(".")
    minor = "".join(character if character.isdigit() else " " for character in rest).split(" ")[0]
    cuts = major.isdigit() and minor.isdigit() and (int(major), int(minor)) >= (6, 4)
    return text.partition("\n")[0] if cuts else text


def is_meant(path: str) -> bool:
    """Not with a blank in front, which the kernel takes for a part of the name, or a line end."""
    return path.startswith("/") and "\n" not in path


def default_root(machine: Machine) -> str:
    """The folder of all containers when --root is not given.

    From ids only: engines call with an empty or foreign environment.
    """
    if machine.sysroot:
        return machine.path("/run/hybrid-runtime")
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
