"""Containers whose create died before it had a supervisor: their id is free again."""

import os

from hybrid_runtime.container.ending import kill_and_undo
from hybrid_runtime.container.record import CREATING, Record, UnreadableRecord, load_record
from hybrid_runtime.container.store import Store, remove_folder
from hybrid_runtime.failure import Failure
from hybrid_runtime.machine import Machine
from hybrid_runtime.process_identity import is_alive


def make_folder(machine: Machine, store: Store, identifier: str) -> str:
    """A new folder for the id, in the place of an abandoned one if need be. Raises Failure when the id is taken."""
    try:
        return store.make_folder(identifier)
    except Failure:
        if _abandoned(store, identifier) is None:
            raise
    from fcntl import LOCK_EX, flock

    root = os.open(store.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # One at a time, and looked at again: another create may have taken the id over meanwhile.
        flock(root, LOCK_EX)
        record = _abandoned(store, identifier)
        if record is not None:
            kill_and_undo(machine, store.root, store.folder(identifier), record)
            remove_folder(store.folder(identifier))
        return store.make_folder(identifier)
    finally:
        os.close(root)


def _abandoned(store: Store, identifier: str) -> Record | None:
    """Its record, when it was being created by a process that is dead."""
    try:
        record = load_record(store.folder(identifier), identifier)
    except UnreadableRecord:
        return None
    dead = record.phase == CREATING and not is_alive(record.pid, record.pid_start_time)
    return record if dead else None
