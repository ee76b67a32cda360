"""Containers whose create died before it had a supervisor: their id is free again."""

import posix as os

from hybrid_runtime.container.record import CREATING, Record, UnreadableRecord, load_record
from hybrid_runtime.container.status import STOPPED, settled
from hybrid_runtime.container.store import HeldFolder, Store, is_unsigned, remove_folder
from hybrid_runtime.failure import Failure
from hybrid_runtime.machine import Machine
from hybrid_runtime.path import is_folder


def make_folder(machine: Machine, store: Store, record: Record) -> str:
    """A new folder with the record in it, in the place of an abandoned one if need be.

    Raises Failure when the id is taken. The folder never stays without a record of whom it belongs to unless its
    maker was killed: one at a time, so that a folder without one is known to be abandoned.
    """
    store.make_root()
    root = lock_root(store)
    try:
        if is_abandoned(machine, store, record.identifier):
            clear_abandoned(machine, store, record.identifier)
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
    """A descriptor to close, once creates may go on."""
    from fcntl import LOCK_EX, flock

    root = os.open(store.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    flock(root, LOCK_EX)
    return root


def is_abandoned(machine: Machine, store: Store, identifier: str) -> bool:
    """Whether it was being created by a process that is dead. Only certain while the root is locked."""
    folder = store.folder(identifier)
    try:
        record, status = settled(machine, store.root, lambda: load_record(folder, identifier))
    except UnreadableRecord:
        return is_folder(folder) and is_unsigned(folder)
    return record.phase == CREATING and status is STOPPED


def clear_abandoned(machine: Machine, store: Store, identifier: str) -> None:
    """Raises Failure when its core cannot be stopped."""
    from hybrid_runtime.container.ending import kill_and_undo

    try:
        folder = HeldFolder(store.folder(identifier))
    except FileNotFoundError:
        # A delete was at work, and has come to its end.
        return
    try:
        kill_and_undo(machine, store.root, folder, load_record(folder.content, identifier))
    except UnreadableRecord:
        # Nothing was done before the first record.
        pass
    folder.remove()
