"""Ending a container from outside: by the supervisor's death, and then by the journal, since the kernel alone
does not stop a core that has crashed, is started twice or has no /dev/remoteprocN."""

from hybrid_runtime.container.claim import (
    DamagedJournal,
    is_holder,
    journaled_devices,
    read_journal,
    take_claim,
    torn_journals,
)
from hybrid_runtime.container.record import CREATING, End, Record
from hybrid_runtime.container.store import HeldFolder
from hybrid_runtime.deadline import Deadline
from hybrid_runtime.failure import Failure
from hybrid_runtime.machine import Machine
from hybrid_runtime.process_identity import ProcessHandle
from hybrid_runtime.timestamp import rfc3339

KILL_SECONDS = 5.0
KILLED_CODE = 137


def kill_supervisor(record: Record) -> bool:
    """SIGKILL and wait. False when it was dead before. Raises Failure when the kernel does not let it go."""
    process = ProcessHandle.open(record.pid, record.pid_start_time)
    if process is None:
        return False
    from hybrid_runtime.system_calls import signals

    with process:
        process.send(signals.SIGKILL)
        if not process.wait_until_gone(Deadline(KILL_SECONDS)):
            raise Failure(
                f"process {record.pid} of `{record.identifier}` is still there {KILL_SECONDS:g} s after SIGKILL",
                "it waits inside the kernel: see dmesg",
            )
    return True


def kill_and_undo(machine: Machine, root: str, folder: HeldFolder, record: Record) -> None:
    """Afterwards no process, no running core, no claim. Raises Failure."""
    killed = kill_supervisor(record)
    if record.phase == CREATING or not record.device:
        # Create was killed before it could note the processor, or has not come so far.
        _let_undo(machine, root, record.identifier)
        kill_and_undo_unrecorded(machine, root, record.identifier)
    else:
        if folder.has_its_name():
            # The record may name another process than the one that lives: then the journal knows better.
            _kill_holder(machine, record.device, root, record.identifier)
        undo_container(machine, record.device, root, record.identifier)
    if not killed:
        return
    record.end = End(KILLED_CODE, "killed", rfc3339())
    try:
        record.save(folder.content)
    except Failure:
        # The record only reports: a full disk or a folder removed meanwhile undo nothing of the above.
        return


def _let_undo(machine: Machine, root: str, identifier: str) -> None:
    """The supervisor of a create that died undoes everything by itself, also what only it knows of: the pid file."""
    deadline = Deadline(KILL_SECONDS)
    for device in journaled_devices(machine, root, identifier):
        journal = read_journal(machine, device)
        process = ProcessHandle.open(journal.pid, journal.pid_start_time) if journal else None
        if process:
            with process:
                process.wait_until_gone(deadline)


def kill_and_undo_unrecorded(machine: Machine, root: str, identifier: str) -> None:
    """For a container whose record is lost: the journals know it as well."""
    for device in journaled_devices(machine, root, identifier):
        _kill_holder(machine, device, root, identifier)
        undo_container(machine, device, root, identifier)
    remove_torn_journals(machine)


def _kill_holder(machine: Machine, device: str, root: str, identifier: str) -> None:
    try:
        journal = read_journal(machine, device)
    except DamagedJournal:
        return
    if journal is not None and journal.belongs_to(root, identifier) and is_holder(machine, device, journal.pid):
        record = Record(identifier, "", "")
        record.pid, record.pid_start_time = journal.pid, journal.pid_start_time
        kill_supervisor(record)


def undo_container(machine: Machine, device: str, root: str, identifier: str) -> None:
    """Undo for one container whose supervisor is dead; a processor held by another one is left alone."""
    claim = take_claim(machine, device)
    if claim is None:
        return
    try:
        if _may_speak_of(machine, device, root, identifier):
            # Seldom: a supervisor that ended orderly has undone everything.
            from hybrid_runtime.container.undo import undo_leftovers

            undo_leftovers(claim)
    finally:
        claim.close()


def _may_speak_of(machine: Machine, device: str, root: str, identifier: str) -> bool:
    """Whether the journal is that container's, or nobody's any more."""
    try:
        journal = read_journal(machine, device)
    except DamagedJournal:
        return True
    return journal is not None and journal.belongs_to(root, identifier)


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


def destroy(machine: Machine, root: str, folder: HeldFolder, record: Record) -> list[str]:
    """Kills, undoes, removes the folder, then runs the poststop hooks; what went wrong with those is returned.

    Raises Failure and OSError; the folder is then still there.
    """
    hooks = {}
    if "poststop" in record.hooks:
        from hybrid_runtime.firmware.bundle import kept_bundle

        hooks = kept_bundle(folder.content, record.bundle).hooks
    kill_and_undo(machine, root, folder, record)
    folder.remove()
    if not hooks:
        return []
    from hybrid_runtime.container.hook import run_poststop_hooks

    return run_poststop_hooks(hooks, record)
