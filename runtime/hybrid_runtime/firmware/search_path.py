"""Where the kernel looks for firmware, and hence where it is installed."""

import posix as os

from hybrid_runtime.system.path import decoded, is_folder
from hybrid_runtime.system.system_paths import SystemPaths


def firmware_path(system: SystemPaths) -> str:
    """The folder in which the kernel looks first, as it takes firmware_class.path; "" where that is not set."""
    try:
        with open(system.path("/sys/module/firmware_class/parameters/path"), "rb") as parameter:
            # param_get_string of kernel/params.c adds the line end.
            text = decoded(parameter.read()).removesuffix("\n")
    except OSError:
        return ""
    return taken_by_kernel(text, os.uname().release) if "\n" in text else text


def firmware_folder(system: SystemPaths) -> str:
    """Where the kernel finds what is installed: firmware_class.path, else /lib/firmware.

    drivers/base/firmware_loader/main.c, fw_path[]: /lib/firmware comes last, and is looked in whatever the
    parameter says, which is a global setting of the system. A folder of that name is made, but never one that
    nobody can have meant.
    """
    configured = firmware_path(system)
    # A relative one is taken from the root (kernel_read_file_from_path_initns).
    folder = configured if configured.startswith("/") else f"/{configured}"
    if configured and (is_meant(configured) or is_folder(system.path(folder))):
        return system.path(folder)
    return system.path("/lib/firmware")


def firmware_folders(system: SystemPaths) -> list[str]:
    """All that containers may have been installed in: the parameter can change while one lives."""
    return sorted({firmware_folder(system), system.path("/lib/firmware")})


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
