"""What the fields of a journal may say. Members of a group may share the claims with root, and root acts on what is
written there: nothing is believed that this runtime would not have written."""

from hybrid_runtime.container.identifier import is_identifier
from hybrid_runtime.firmware.installation import boot_of
from hybrid_runtime.system.path import components, encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.container.claim import Journal

# include/linux/threads.h, PID_MAX_LIMIT.
_LARGEST_PID = 1 << 22
_LARGEST_TIME = 1 << 63
# remoteproc_sysfs.c and remoteproc_coredump.c.
_RECOVERY = ("", "enabled", "disabled")
_COREDUMP = ("", "disabled", "enabled", "inline")


def check_fields(journal: "Journal", folders: list[str] | None) -> None:
    """Raises ValueError. `folders` are those that firmware may have been installed in; None for a journal of this
    user's own: the kernel's setting may have been another one when it was written."""
    if not journal.identifier:
        raise ValueError("it names no container")
    checks = {
        "identifier": is_identifier(journal.identifier),
        "root": not journal.root or _is_path(journal.root),
        "created": _can_be_shown(journal.created),
        "pid": 0 <= journal.pid <= _LARGEST_PID,
        "pid_start_time": 0 <= journal.pid_start_time < _LARGEST_TIME,
        "firmware_name": not journal.firmware_name or _is_ours(journal.firmware_name),
        "firmware_file": not journal.firmware_file or _is_installed(journal.firmware_file, folders),
        "recovery_before": journal.recovery_before in _RECOVERY,
        "coredump_before": journal.coredump_before in _COREDUMP,
        "cgroup_folders": all(_is_below(folder) for folder in journal.cgroup_folders),
        "cgroup_before": not journal.cgroup_before or _is_path(journal.cgroup_before),
    }
    for field, is_good in checks.items():
        if not is_good:
            raise ValueError(f"field `{field}` is none of this runtime's")


def _is_path(text: str) -> bool:
    """Absolute, and nothing in it that moves a terminal's cursor or has no bytes."""
    return text.startswith("/") and ".." not in text.split("/") and _can_be_shown(text)


def _can_be_shown(text: str) -> bool:
    """Bytes that are no UTF-8 may be in a path; they are shown as escapes."""
    try:
        encoded(text)
    except UnicodeEncodeError:
        return False
    return all(character.isprintable() or 0xDC80 <= ord(character) <= 0xDCFF for character in text)


def _is_ours(name: str) -> bool:
    return "/" not in name and _can_be_shown(name) and boot_of(name) is not None


def _is_installed(path: str, folders: list[str] | None) -> bool:
    folder, _, name = path.rpartition("/")
    return _is_ours(name) and _is_path(path) and (folders is None or folder in folders)


def _is_below(folder: object) -> bool:
    """Of the root of all control groups."""
    if not isinstance(folder, str) or folder.startswith("/") or not _can_be_shown(folder):
        return False
    return bool(components(folder)) and ".." not in folder.split("/")
