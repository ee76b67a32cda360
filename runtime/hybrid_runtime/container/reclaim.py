"""Giving back processors: living holders are killed, and the work of dead ones is undone by their journals.

The kernel alone does not stop a core that has crashed, is started twice or has no /dev/remoteprocN.
"""

from hybrid_runtime.container.claim import (
    DamagedJournal,
    journaled_devices,
    read_journal,
    take_claim,
    torn_journals,
)
from hybrid_runtime.container.holder import is_held_for, open_holder
from hybrid_runtime.container.record import Owner
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.process_identity import ProcessHandle
from hybrid_runtime.system.system_paths import SystemPaths

KILL_SECONDS = 5.0


def reclaim(system: SystemPaths, device: str, owner: Owner | None = None) -> bool:
    """Undoes the work of a dead holder, with an `owner` only if the journal is that container's.

    False when nothing is left, or when a living process holds the processor. Raises Failure and OSError: the journal
    still names all that could not be undone.
    """
    if not _is_left_by(system, device, owner):
        # Often: a supervisor that ended orderly has undone everything.
        return False
    claim = take_claim(system, device)
    if claim is None:
        return False
    try:
        if not _is_left_by(system, device, owner):
            return False
        from hybrid_runtime.container.undo import undo_leftovers

        undo_leftovers(claim)
    finally:
        claim.close()
    return True


def _is_left_by(system: SystemPaths, device: str, owner: Owner | None) -> bool:
    """A damaged journal names nobody, and is everybody's to undo."""
    try:
        journal = read_journal(system, device)
    except DamagedJournal:
        return True
    return journal is not None and (owner is None or journal.belongs_to(owner))


def end_holder(system: SystemPaths, device: str, owner: Owner, patience: float = 0.0) -> None:
    """Kills the process that holds the processor for that container, and undoes its work.

    `patience`: seconds that the process gets to undo its work itself. Raises Failure, also as long as somebody holds
    the processor for this container: its folder must stay then.
    """
    process = open_holder(system, device, owner)
    if process is not None:
        with process:
            if not process.wait_until_gone(Deadline(patience)):
                kill_process(process, owner)
    if not reclaim(system, device, owner) and is_held_for(system, device, owner):
        raise Failure(f"container `{owner.identifier}` still holds `{device}`", "see dmesg, and try again")


def end_all_holders(system: SystemPaths, owner: Owner, patience: float = 0.0) -> None:
    """For a container whose record does not tell its processor: the journals know it as well. As `end_holder`."""
    for device in journaled_devices(system, owner):
        end_holder(system, device, owner, patience)
    for device in torn_journals(system):
        _remove_torn_journal(system, device)


def is_journaled(system: SystemPaths, owner: Owner) -> bool:
    """Whether a journal speaks of that container, or is torn and speaks of nobody yet."""
    return bool(journaled_devices(system, owner) or torn_journals(system))


def _remove_torn_journal(system: SystemPaths, device: str) -> None:
    """A create was killed while it wrote its first journal: nothing was done yet that it tells of.

    Raises Failure. Where a living process holds the processor, the file may be its own, this moment.
    """
    claim = take_claim(system, device)
    if claim is None:
        return
    try:
        claim.remove_torn_journal()
    finally:
        claim.close()


def kill_process(process: ProcessHandle, owner: Owner) -> None:
    """SIGKILL, and the wait for its end. Raises Failure when the kernel does not let it go."""
    from hybrid_runtime.system.system_calls import signals

    process.send(signals.SIGKILL)
    if not process.wait_until_gone(Deadline(KILL_SECONDS)):
        raise Failure(
            f"the process of container `{owner.identifier}` is still there {KILL_SECONDS:g} s after SIGKILL",
            "it waits inside the kernel: see dmesg",
        )
