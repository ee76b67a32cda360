"""Folders below the root whose create was interrupted, or whose record is lost: their id is free again."""

import posix as os

from hybrid_runtime.container.record import CREATING, ROOT_REMEDIES, Owner, Record, UnreadableRecord, load_record
from hybrid_runtime.container.status import STOPPED, load_status
from hybrid_runtime.container.store import HeldFolder, Store, is_unsigned, remove_folder
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.path import is_folder, link_exists

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# No id may be this.
LOCK = "~lock"
# A create may have to stop the core of an interrupted one meanwhile.
LOCK_SECONDS = 30.0


def make_folder(store: Store, record: Record) -> str:
    """A new folder with the record in it, in the place of an interrupted one if need be.

    Raises Failure when the id is taken. The folder never stays without a record of whom it belongs to unless its
    maker was killed: one at a time, so that a folder without one is known to be interrupted.
    """
    store.make_root()
    root = lock_root(store)
    try:
        if is_interrupted(store, record.identifier):
            remove_interrupted(store, record.identifier)
        folder = store.make_folder(record.identifier)
        try:
            record.save(folder)
        except Failure:
            remove_folder(folder)
            raise
        return folder
    finally:
        os.close(root)


def lock_root(store: Store) -> int:
    """A descriptor to close, once creates may go on. Raises Failure when another command does not let them.

    The lock is on a file of its own: anybody who may read the folder could lock that.
    """
    from fcntl import LOCK_EX, LOCK_NB, flock

    path = f"{store.root}/{LOCK}"
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise failed(f"cannot open `{path}`", error, "choose another --root", ROOT_REMEDIES) from error
    deadline = Deadline(LOCK_SECONDS)
    while True:
        try:
            flock(lock, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            if deadline.look_again():
                continue
            holder = _holder(os.fstat(lock))
            os.close(lock)
            raise Failure(f"{holder} has kept `{path}` locked for {LOCK_SECONDS:g} s", "end it if it hangs") from None
        else:
            return lock


def _holder(lock: os.stat_result) -> str:
    """Who has the lock on that file (proc_locks(5))."""
    number = lock.st_dev
    # As makedev(3) packs them.
    major, minor = number >> 8 & 0xFFF | number >> 32 & 0xFFFFF000, number & 0xFF | number >> 12 & 0xFFFFFF00
    name = f"{major:02x}:{minor:02x}:{lock.st_ino}"
    try:
        with open("/proc/locks", encoding="ascii") as locks:
            pids = [words[4] for words in map(str.split, locks) if words[1] == "FLOCK" and words[5] == name]
    except OSError:
        pids = []
    return f"process {pids[0]}" if pids else "another process"


def is_interrupted(store: Store, identifier: str) -> bool:
    """Whether it was being created by a process that is dead. Only certain while the root is locked."""
    folder = store.folder(identifier)
    try:
        record, status = load_status(store, lambda: load_record(folder, identifier))
    except UnreadableRecord:
        return is_folder(folder) and is_unsigned(folder)
    return record.phase == CREATING and status is STOPPED


def remove_unrecorded(store: Store, identifier: str) -> None:
    """What is left of a container without a readable record. A new container of that id is left alone.

    Raises Failure when its core cannot be stopped, or another command does not let creates come to their end.
    """
    from hybrid_runtime.container.reclaim import end_all_holders, is_journaled

    owner = Owner(store.root, identifier)
    if not link_exists(store.folder(identifier)) and not is_journaled(store.system, owner):
        return
    store.make_root()
    root = lock_root(store)
    try:
        try:
            folder = HeldFolder(store.folder(identifier))
        except (FileNotFoundError, NotADirectoryError):
            end_all_holders(store.system, owner)
            return
        if _is_without_record(store, identifier, folder):
            end_all_holders(store.system, owner)
            folder.remove()
    finally:
        os.close(root)


def _is_without_record(store: Store, identifier: str, folder: HeldFolder) -> bool:
    """False for another runtime's folder as well. Only certain while the root is locked."""
    try:
        store.load(identifier, folder)
    except UnreadableRecord:
        return True
    except Failure:
        return is_unsigned(folder.content)
    return False


def remove_interrupted(store: Store, identifier: str) -> None:
    """Raises Failure when its core cannot be stopped. Only while the root is locked."""
    from hybrid_runtime.container.container import Container

    try:
        folder = HeldFolder(store.folder(identifier))
    except FileNotFoundError:
        # A delete was at work, and has come to its end.
        return
    try:
        container = Container(store, identifier, folder)
    except Failure:
        # Nothing was done before the first record.
        pass
    else:
        container.kill()
    folder.remove()


def sweep(store: Store) -> "Iterator[str]":
    """Removes every folder whose create was interrupted, and yields its path. Raises Failure and OSError."""
    if not is_folder(store.root):
        return
    root = lock_root(store)
    try:
        for identifier in store.identifiers():
            if is_interrupted(store, identifier):
                remove_interrupted(store, identifier)
                yield store.folder(identifier)
    finally:
        os.close(root)
