"""Ending a container from outside: by the supervisor's death, and then by the journal, since the kernel alone
does not stop a core that has crashed, is started twice or has no /dev/remoteprocN."""

from hybrid_runtime.container.claim import DamagedJournal, journaled_devices, read_journal, take_claim
from hybrid_runtime.container.record import End, Record
from hybrid_runtime.container.store import remove_folder
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


def kill_and_undo(machine: Machine, root: str, folder: str, record: Record) -> None:
    """Afterwards no process, no running core, no claim. Raises Failure."""
    killed = kill_supervisor(record)
    if record.device:
        undo_container(machine, record.device, root, record.identifier)
    else:
        # Create was killed before it could note the processor, or has not come so far.
        kill_and_undo_unrecorded(machine, root, record.identifier)
    if not killed:
        return
    record.end = End(KILLED_CODE, "killed", rfc3339())
    try:
        record.save(folder)
    except Failure:
        # The record only reports: a full disk or a folder removed meanwhile undo nothing of the above.
        return


def kill_and_undo_unrecorded(machine: Machine, root: str, identifier: str) -> None:
    """For a container whose record is lost: the journals know it as well."""
    for device in journaled_devices(machine, root, identifier):
        journal = read_journal(machine, device)
        if journal is not None:
            record = Record(identifier, "", "")
            record.pid, record.pid_start_time = journal.pid, journal.pid_start_time
            kill_supervisor(record)
        undo_container(machine, device, root, identifier)


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


def destroy(machine: Machine, root: str, folder: str, record: Record) -> list[str]:
    """Kills, undoes, removes the folder, then runs the poststop hooks; what went wrong with those is returned.

    Raises Failure and OSError; the folder is then still there.
    """
    hooks = {}
    if "poststop" in record.hooks:
        from hybrid_runtime.firmware.bundle import kept_bundle

        hooks = kept_bundle(folder, record.bundle).hooks
    kill_and_undo(machine, root, folder, record)
    remove_folder(folder)
    if not hooks:
        return []
    from hybrid_runtime.container.hook import run_poststop_hooks

    return run_poststop_hooks(hooks, record)
