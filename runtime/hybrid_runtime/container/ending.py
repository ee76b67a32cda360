"""Ending a container from outside: by the supervisor's death, and then by the journal, since the kernel alone
does not stop a core that has crashed, is started twice or has no /dev/remoteprocN."""

from hybrid_runtime.container.claim import (
    DamagedJournal,
    journaled_devices,
    read_journal,
    take_claim,
    torn_journals,
)
from hybrid_runtime.container.holder import is_held_for, open_holder
from hybrid_runtime.container.record import CREATING, End, Owner, Record
from hybrid_runtime.container.store import HeldFolder, Store
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.failure import Failure
from hybrid_runtime.machine import Machine
from hybrid_runtime.process_identity import ProcessHandle
from hybrid_runtime.timestamp import rfc3339

KILL_SECONDS = 5.0
KILLED_CODE = 137


def kill_and_undo(store: Store, folder: HeldFolder, record: Record) -> None:
    """Afterwards no process, no running core, no claim. Raises Failure: what could not be done is still journaled."""
    machine, owner = store.machine, record.owner(store.root)
    killed = _kill(ProcessHandle.open(record.pid, record.pid_start_time), owner)
    if record.phase == CREATING or not record.device:
        # Create was killed before it could note the processor, or has not come so far.
        _let_undo(machine, owner)
        kill_and_undo_unrecorded(machine, owner)
    else:
        kill_holder_and_undo(machine, record.device, owner)
    if not killed:
        return
    record.end = End(KILLED_CODE, "killed", rfc3339())
    try:
        record.save(folder.content)
    except Failure:
        # The record only reports: a full disk or a folder removed meanwhile undo nothing of the above.
        return


def _kill(process: ProcessHandle | None, owner: Owner) -> bool:
    """SIGKILL and wait. False for None. Raises Failure when the kernel does not let it go."""
    if process is None:
        return False
    from hybrid_runtime.system_calls import signals

    with process:
        process.send(signals.SIGKILL)
        if not process.wait_until_gone(Deadline(KILL_SECONDS)):
            raise Failure(
                f"the process of container `{owner.identifier}` is still there {KILL_SECONDS:g} s after SIGKILL",
                "it waits inside the kernel: see dmesg",
            )
    return True


def _let_undo(machine: Machine, owner: Owner) -> None:
    """The supervisor of a create that died undoes everything by itself, also what only it knows of: the pid file."""
    deadline = Deadline(KILL_SECONDS)
    for device in journaled_devices(machine, owner):
        journal = read_journal(machine, device)
        process = ProcessHandle.open(journal.pid, journal.pid_start_time) if journal else None
        if process:
            with process:
                process.wait_until_gone(deadline)


def kill_and_undo_unrecorded(machine: Machine, owner: Owner) -> None:
    """For a container whose record does not tell its processor: the journals know it as well. Raises Failure."""
    for device in journaled_devices(machine, owner):
        kill_holder_and_undo(machine, device, owner)
    remove_torn_journals(machine)


def is_journaled(machine: Machine, owner: Owner) -> bool:
    """Whether a journal speaks of that container, or is torn and speaks of nobody yet."""
    return bool(journaled_devices(machine, owner) or torn_journals(machine))


def kill_holder_and_undo(machine: Machine, device: str, owner: Owner) -> None:
    """Raises Failure, also as long as somebody holds the processor for this container: its folder must stay then."""
    _kill(open_holder(machine, device, owner), owner)
    if not undo_container(machine, device, owner) and is_held_for(machine, device, owner):
        raise Failure(f"container `{owner.identifier}` still holds `{device}`", "see dmesg, and try again")


def undo_container(machine: Machine, device: str, owner: Owner) -> bool:
    """Undo for one container whose supervisor is dead. False when there was nothing to undo, or when somebody holds
    the processor. Raises Failure."""
    if not _may_speak_of(machine, device, owner):
        # Often: a supervisor that ended orderly has undone everything.
        return False
    claim = take_claim(machine, device)
    if claim is None:
        return False
    try:
        if not _may_speak_of(machine, device, owner):
            return False
        from hybrid_runtime.container.undo import undo_leftovers

        undo_leftovers(claim)
    finally:
        claim.close()
    return True


def _may_speak_of(machine: Machine, device: str, owner: Owner) -> bool:
    """Whether the journal is that container's, or nobody's any more."""
    try:
        journal = read_journal(machine, device)
    except DamagedJournal:
        return True
    return journal is not None and journal.belongs_to(owner)


def remove_torn_journals(machine: Machine) -> None:
    """What a create has left that was killed while it wrote its first journal: nothing was done yet that it tells of.

    Raises Failure. Where somebody lives on the processor, the file may be his, this moment.
    """
    for device in torn_journals(machine):
        claim = take_claim(machine, device)
        if claim is None:
            continue
        try:
            claim.remove_torn_journal()
        finally:
            claim.close()
