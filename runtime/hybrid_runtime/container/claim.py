"""Ownership of a processor: a lock held by living processes, and a journal that undoes what dead ones left.

The lock file is never replaced and never unlocked by hand: the lock belongs to the open file, which create and
the supervisor share over fork(2), and ends when the last of them closes it. The journal beside it is replaced as a
whole, before each effect it speaks of.
"""

import os

from hybrid_runtime.deadline import Deadline
from hybrid_runtime.durable_file import remove_file, write_durably
from hybrid_runtime.failure import Failure, errno_meaning
from hybrid_runtime.json_text import BadJSON, read_object, write
from hybrid_runtime.machine import Machine
from hybrid_runtime.process_identity import is_alive

# A holder that is dying closes its descriptors within this time.
DYING_HOLDER_SECONDS = 2.0


class Journal:
    """What the holder has done to the machine, or is about to do. Empty strings: nothing of the kind."""

    def __init__(self, root: str = "", identifier: str = "") -> None:
        self.root = root
        self.identifier = identifier
        self.pid = 0
        self.pid_start_time = 0
        self.firmware_name = ""
        self.firmware_file = ""
        self.recovery_before = ""
        self.coredump_before = ""
        self.shutdown_on_release = False
        self.cgroup_folders: list[str] = []
        self.cgroup_before = ""

    def belongs_to(self, root: str, identifier: str) -> bool:
        return self.root == root and self.identifier == identifier

    def holder_is_alive(self) -> bool:
        return is_alive(self.pid, self.pid_start_time)


def journal_path(machine: Machine, device: str) -> str:
    return f"{machine.claims}/{device}.journal"


def read_journal(machine: Machine, device: str) -> Journal | None:
    """None when there is none. Needs no lock: a journal is replaced as a whole."""
    try:
        with open(journal_path(machine, device), "rb") as source:
            values = read_object(source.read())
    except FileNotFoundError:
        return None
    except (BadJSON, OSError) as error:
        raise Failure(
            f"the journal `{journal_path(machine, device)}` cannot be read: {error}",
            "stop the core by hand (echo stop > state) and remove the file",
        ) from error
    journal = Journal()
    for field, default in Journal().__dict__.items():
        value = values.get(field)
        setattr(journal, field, value if type(value) is type(default) else default)
    journal.cgroup_folders = [folder for folder in journal.cgroup_folders if type(folder) is str]
    return journal


class Claim:
    """The held lock of one processor."""

    def __init__(self, machine: Machine, device: str, descriptor: int) -> None:
        self.machine = machine
        self.device = device
        self.descriptor = descriptor

    def write_journal(self, journal: Journal) -> None:
        """Raises Failure; the former journal is then still there, and the effect must not follow."""
        path = journal_path(self.machine, self.device)
        try:
            write_durably(path, write(journal.__dict__).encode(), temporary=f"{path}.tmp")
        except OSError as error:
            raise Failure(f"cannot write `{path}`: {errno_meaning(error)}", "free space in /run") from error

    def clear_journal(self) -> None:
        """Raises Failure."""
        path = journal_path(self.machine, self.device)
        try:
            remove_file(f"{path}.tmp")
            remove_file(path)
        except OSError as error:
            raise Failure(f"cannot remove `{path}`: {errno_meaning(error)}", "remove it by hand") from error

    def close(self) -> None:
        """Gives the processor back once no other process shares the lock."""
        os.close(self.descriptor)


def take_claim(machine: Machine, device: str) -> Claim | None:
    """None when a living process holds it. Raises Failure where claims cannot be kept."""
    from fcntl import LOCK_EX, LOCK_NB, flock

    descriptor = _open_lock(machine, device)
    deadline = Deadline(DYING_HOLDER_SECONDS)
    while True:
        try:
            flock(descriptor, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            journal = read_journal(machine, device)
            if (journal and journal.holder_is_alive()) or not deadline.look_again():
                os.close(descriptor)
                return None
        else:
            return Claim(machine, device, descriptor)


def _open_lock(machine: Machine, device: str) -> int:
    path = f"{machine.claims}/{device}"
    try:
        os.makedirs(machine.claims, 0o700, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failure(f"cannot open the claim `{path}`: {errno_meaning(error)}", "run as root") from error


def journaled_devices(machine: Machine, root: str, identifier: str) -> list[str]:
    """Devices whose journal speaks of that container, present or vanished. Unreadable journals speak of none."""
    try:
        names = sorted(os.listdir(machine.claims))
    except OSError:
        return []
    found = []
    for name in names:
        device = name.removesuffix(".journal")
        try:
            journal = read_journal(machine, device) if device != name else None
        except Failure:
            continue
        if journal and journal.belongs_to(root, identifier):
            found.append(device)
    return found


def holder(machine: Machine, device: str) -> str:
    """The id of the container that holds the processor now, "" when none does. For reports only."""
    try:
        journal = read_journal(machine, device)
    except Failure:
        return ""
    return journal.identifier if journal and journal.holder_is_alive() else ""


def held_by_other(machine: Machine, device: str, name: str) -> Failure:
    """The refusal for a processor whose claim is taken."""
    journal = read_journal(machine, device)
    who = f"container `{journal.identifier}` (root `{journal.root}`)" if journal else "another command"
    remedy = (
        f"`hybrid-runtime --root {journal.root} delete --force {journal.identifier}` frees it"
        if journal
        else "try again"
    )
    return Failure(f"processor `{name}` ({device}) is held by {who}", remedy)
