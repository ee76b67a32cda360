"""Folders that must take files: the firmware's, the containers', the claims'."""

import os
from collections.abc import Iterator

from hybrid_runtime.firmware.installation import ANOTHER_FOLDER
from hybrid_runtime.firmware.search_path import firmware_folder, firmware_path, is_meant
from hybrid_runtime.setup.doctor.finding import OK, PROBLEM, WARNING, Check, Finding
from hybrid_runtime.system.system_paths import SystemPaths

LITTLE_ROOM_BYTES = 1 << 20
FIRMWARE_FOLDER_RIGHT = Check(OK, "the firmware folder can be written", "`create` can install firmware.")
FIRMWARE_FOLDER_WRONG = Check(
    PROBLEM,
    "the firmware folder cannot be written",
    "The root file system is read-only, or the caller is not root. `create` fails. "
    "Another folder holds for the firmware of all drivers. "
    "Theirs may stay in /lib/firmware, where the kernel looks next.",
    f"{{make_it_writable}}, or {ANOTHER_FOLDER}, or install the tmpfiles.d file of this runtime "
    "(docs/runtime.md: Not as root)",
)
FIRMWARE_PATH_ODD = Check(
    WARNING,
    "firmware_class.path names no folder",
    "The setting begins with a blank, or it ends with a line end (`echo` without `-n`) before Linux 6.4. "
    "The kernel takes that as a part of the folder's name. "
    "Firmware is installed in the place where the kernel looks next.",
    "without a line end or a blank in front: echo -n FOLDER > /sys/module/firmware_class/parameters/path",
)
CONTAINERS_RIGHT = Check(OK, "containers can be recorded", "`create` can make the folder of a container.")
CONTAINERS_WRONG = Check(
    PROBLEM,
    "containers cannot be recorded",
    "`--root` (default /run/hybrid-runtime) is read-only, no folder, or another user's.",
    "{make_it_writable}, or choose another --root",
)
CLAIMS_RIGHT = Check(OK, "processors can be claimed", "`create` can lock a processor for its container.")
CLAIMS_WRONG = Check(
    PROBLEM,
    "processors cannot be claimed",
    "/run/hybrid-runtime-claims is read-only, no folder, or another user's.",
    "{make_it_writable}, or install the tmpfiles.d file of this runtime and join its group "
    "(docs/runtime.md: Not as root)",
)
LITTLE_ROOM = Check(
    WARNING,
    "a file system is nearly full",
    "Records, journals and firmware need space. Running containers go on, and their logs lose lines.",
    "free space in `{folder}`",
)
ROOT_READ_ONLY = Check(
    OK, "the root file system is read-only", "That is no obstacle while the folders above can be written."
)
ROOT_WRITABLE = Check(OK, "the root file system can be written", "Files may be kept anywhere.")


def check(system: SystemPaths, root: str) -> Iterator[Finding]:
    """`root` is the folder of all containers."""
    firmware = firmware_folder(system)
    configured = firmware_path(system)
    if configured and not is_meant(configured) and not os.path.isdir(system.path(f"/{configured}")):
        yield FIRMWARE_PATH_ODD.found(f"the kernel takes `{configured}` literally and goes on to `{firmware}`")
    for folder, right, wrong in (
        (firmware, FIRMWARE_FOLDER_RIGHT, FIRMWARE_FOLDER_WRONG),
        (root, CONTAINERS_RIGHT, CONTAINERS_WRONG),
        (system.claims, CLAIMS_RIGHT, CLAIMS_WRONG),
    ):
        where = f"`{folder}` on {file_system(system, _nearest(folder))}"
        if not is_writable(folder):
            reason, remedy = _obstacle(_nearest(folder))
            yield wrong.found(f"{where}: {reason}", make_it_writable=remedy)
            continue
        yield right.found(where)
        room = _room(_nearest(folder))
        if room < LITTLE_ROOM_BYTES:
            yield LITTLE_ROOM.found(f"{where} has {room} bytes left", folder=folder)
    yield ROOT_READ_ONLY.found() if _is_read_only(system.path("/")) else ROOT_WRITABLE.found()


def is_writable(folder: str) -> bool:
    """Whether files can be made there, after the folder itself if need be."""
    nearest = _nearest(folder)
    return os.path.isdir(nearest) and os.access(nearest, os.W_OK | os.X_OK) and not _is_read_only(nearest)


def _nearest(folder: str) -> str:
    """It, or the first above it that is there."""
    while not os.path.lexists(folder) and folder not in ("", "/"):
        folder = os.path.dirname(folder)
    return folder or "/"


def _obstacle(folder: str) -> tuple[str, str]:
    """What is in the way, and what helps."""
    if not os.path.isdir(folder):
        return f"`{folder}` is no folder", "remove what is in its place"
    if _is_read_only(folder):
        return "read-only", "mount it writable"
    return f"user {os.geteuid()} may not write there", "call as root or as its owner"


def _is_read_only(folder: str) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _room(folder: str) -> int:
    try:
        facts = os.statvfs(folder)
    except OSError:
        return 0
    return facts.f_bavail * facts.f_frsize


def file_system(system: SystemPaths, folder: str) -> str:
    """Its type, from /proc/self/mounts; the last mount over the longest part of the path counts."""
    path = os.path.realpath(folder)
    best, found = "", "an unknown file system"
    try:
        with open(system.path("/proc/self/mounts"), encoding="utf-8", errors="replace") as source:
            mounts = [line.split() for line in source]
    except OSError:
        return found
    for mount in mounts:
        # getmntent(3): spaces and the like are written in octal.
        point = mount[1].encode().decode("unicode_escape")
        if len(point) >= len(best) and (path == point or path.startswith(point.rstrip("/") + "/")):
            best, found = point, mount[2]
    return found
