"""Ownership of a processor: a lock held by living processes, and a journal that undoes what dead ones left.

The lock file is never replaced and never unlocked by hand: the lock belongs to the open file, which create and
the supervisor share over fork(2), and ends when the last of them closes it. The journal beside it is replaced as a
whole, before each effect it speaks of.
"""

import errno
import posix as os

from hybrid_runtime.container.record import Owner, is_device
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.durable_file import remove_file, share_as_folder, write_durably
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.json_text import read_object, write
from hybrid_runtime.system.path import is_file, is_folder, link_exists, make_folders
from hybrid_runtime.system.process_identity import is_alive
from hybrid_runtime.system.system_paths import SystemPaths

# A holder that is dying closes its descriptors within this time.
DYING_HOLDER_SECONDS = 2.0
_LARGEST_JOURNAL_BYTES = 1 << 20
_IN_MAKING = ".tmp"


class Journal:
    """What the holder has done to the machine, or is about to do. Empty strings: nothing of the kind."""

    def __init__(self, root: str = "", identifier: str = "", created: str = "") -> None:
        self.root = root
        self.identifier = identifier
        self.created = created
        self.pid = 0
        self.pid_start_time = 0
        self.firmware_name = ""
        self.firmware_file = ""
        self.recovery_before = ""
        self.coredump_before = ""
        self.shutdown_on_release = False
        self.cgroup_folders: list[str] = []
        self.cgroup_before = ""

    def belongs_to(self, owner: Owner) -> bool:
        """A journal of an older version does not say when its container was created: the id has to do."""
        if (self.root, self.identifier) != (owner.root, owner.identifier):
            return False
        return self.created == owner.created or not self.created or not owner.created


def journal_path(system: SystemPaths, device: str) -> str:
    return f"{system.claims}/{device}.journal"


def _firmware_folders(system: SystemPaths, owner: int) -> list[str] | None:
    """Where the firmware of a journal may lie. One's own is believed as far as what one may do oneself."""
    if owner == os.geteuid():
        return None
    from hybrid_runtime.firmware.search_path import firmware_folders

    return firmware_folders(system)


def read_journal(system: SystemPaths, device: str) -> Journal | None:
    """None when there is none. Needs no lock: a journal is replaced as a whole."""
    path = journal_path(system, device)
    try:
        content, owner = _content(path)
        return _parse(read_object(content), _firmware_folders(system, owner))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise failed(f"cannot read the journal `{path}`", error, "see dmesg") from error
    except ValueError as error:
        raise DamagedJournal(
            f"the journal `{path}` is damaged: {error}", "`hybrid-runtime doctor --repair` sets it aside"
        ) from error


def _content(path: str) -> tuple[bytes, int]:
    """Of a regular file, and its owner. What else may be there is neither followed nor waited for: ValueError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            return os.read(descriptor, _LARGEST_JOURNAL_BYTES), os.fstat(descriptor).st_uid
        finally:
            os.close(descriptor)
    except OSError:
        if link_exists(path) and not is_file(path, follow=False):
            raise ValueError("it is no file") from None
        raise


def _parse(values: dict[str, object], folders: list[str] | None) -> Journal:
    """Fields that another version does not know keep their defaults. Raises ValueError for what is no journal."""
    from hybrid_runtime.container.journal_fields import check_fields

    journal = Journal()
    for field, default in Journal().__dict__.items():
        value = values.get(field, default)
        if type(value) is not type(default):
            raise ValueError(f"field `{field}` is of the wrong type")
        setattr(journal, field, value)
    check_fields(journal, folders)
    return journal


def readable_journal(system: SystemPaths, device: str) -> Journal | None:
    try:
        return read_journal(system, device)
    except Failure:
        return None


class DamagedJournal(Failure):
    """The journal is there and says nothing."""


class Claim:
    """The held lock of one processor."""

    def __init__(self, system: SystemPaths, device: str, descriptor: int) -> None:
        self.system = system
        self.device = device
        self.descriptor = descriptor

    def write_journal(self, journal: Journal) -> None:
        """Raises Failure; the former journal is then still there, and the effect must not follow."""
        path = journal_path(self.system, self.device)
        temporary = f"{path}{_IN_MAKING}"
        try:
            if is_folder(temporary):
                # Made by somebody who shares the claims, to be in the way.
                os.rename(temporary, f"{temporary}.{os.urandom(4).hex()}")
            write_durably(path, write(journal.__dict__).encode(), temporary=temporary, as_folder=True)
        except OSError as error:
            others = "as root, `hybrid-runtime doctor --repair` undoes what another user has left there"
            raise failed(
                f"cannot write `{path}`", error, others, {errno.EACCES: others, errno.EPERM: others}
            ) from error

    def clear_journal(self) -> None:
        """Raises Failure."""
        self._remove(f"{journal_path(self.system, self.device)}{_IN_MAKING}")
        self._remove(journal_path(self.system, self.device))

    def remove_torn_journal(self) -> None:
        """Raises Failure."""
        self._remove(f"{journal_path(self.system, self.device)}{_IN_MAKING}")

    @staticmethod
    def _remove(path: str) -> None:
        try:
            remove_file(path)
        except OSError as error:
            raise failed(f"cannot remove `{path}`", error, "remove it by hand") from error

    def close(self) -> None:
        """Gives the processor back once no other process shares the lock."""
        os.close(self.descriptor)


def take_claim(system: SystemPaths, device: str) -> Claim | None:
    """None when a living process holds it. Raises Failure where claims cannot be kept."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    descriptor = _open_lock(system, device)
    deadline = Deadline(DYING_HOLDER_SECONDS)
    while True:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            journal = readable_journal(system, device)
            if (journal and is_alive(journal.pid, journal.pid_start_time)) or not deadline.look_again():
                os.close(descriptor)
                return None
        else:
            return Claim(system, device, descriptor)


def _open_lock(system: SystemPaths, device: str) -> int:
    if not is_device(device):
        raise Failure(f"`{device}` is no processor's claim", "remove it by hand")
    path = f"{system.claims}/{device}"
    try:
        make_folders(system.claims, 0o700)
        return _opened_or_made(path, system.claims)
    except OSError as error:
        who = {errno.EACCES: "call as root, or as a member of the group that owns the folder"}
        raise failed(f"cannot open the claim `{path}`", error, "see that /run can be written", who) from error


def _opened_or_made(path: str, folder: str) -> int:
    """Raises OSError. Only what this call has made is given to the folder's group: what was there may be a link to
    any file of the machine."""
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        pass
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        # Made by another this moment.
        return os.open(path, flags)
    share_as_folder(descriptor, folder)
    return descriptor


def claimed_devices(system: SystemPaths, suffix: str) -> list[str]:
    """Those that have a file with that suffix among the claims, and no other names. Raises OSError."""
    names = sorted(os.listdir(system.claims))
    return [
        name.removesuffix(suffix) for name in names if name.endswith(suffix) and is_device(name.removesuffix(suffix))
    ]


def journaled_devices(system: SystemPaths, owner: Owner) -> list[str]:
    """Devices whose journal speaks of that container, present or vanished. Unreadable journals speak of none."""
    try:
        devices = claimed_devices(system, ".journal")
    except OSError:
        return []
    found = []
    for device in devices:
        try:
            journal = read_journal(system, device)
        except Failure:
            continue
        if journal and journal.belongs_to(owner):
            found.append(device)
    return found


def torn_journals(system: SystemPaths) -> list[str]:
    """Devices with a journal in the making, or that somebody died over."""
    try:
        return claimed_devices(system, f".journal{_IN_MAKING}")
    except OSError:
        return []
