"""Who holds a processor now: asked of the claim's lock, which lives and dies with its holder.

A pid means nothing in another pid namespace, and /proc may hide it. The lock is the kernel's own word.
"""

import posix as os

from hybrid_runtime.container.claim import DYING_HOLDER_SECONDS, Journal, readable_journal
from hybrid_runtime.container.record import Owner
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import same_file
from hybrid_runtime.system.process_identity import ProcessHandle
from hybrid_runtime.system.system_paths import SystemPaths


def is_held(system: SystemPaths, device: str) -> bool:
    """Whether a living process holds the lock, be it one of another pid namespace or one that /proc hides.

    What may not be looked at counts as held: nothing is taken from a container on a guess.
    """
    from fcntl import LOCK_NB, LOCK_SH, flock

    try:
        descriptor = os.open(f"{system.claims}/{device}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        # Shared: two that look at once do not take each other for a holder.
        flock(descriptor, LOCK_SH | LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def is_journaled_for(system: SystemPaths, device: str, owner: Owner) -> bool:
    """Whether the processor's journal speaks of that container. One that cannot be read speaks of none."""
    journal = readable_journal(system, device)
    return journal is not None and journal.belongs_to(owner)


def is_held_for(system: SystemPaths, device: str, owner: Owner) -> bool:
    """Whether a living process holds the processor for that container."""
    return is_journaled_for(system, device, owner) and is_held(system, device)


def open_holder(system: SystemPaths, device: str, owner: Owner) -> ProcessHandle | None:
    """The process that holds the processor for that container; None when there is none.

    A verb that is undoing a dead one's work holds it for a moment, and is waited for. Raises Failure when the holder
    lives where its pid means another process, or none.
    """
    deadline = Deadline(DYING_HOLDER_SECONDS)
    while (journal := readable_journal(system, device)) and journal.belongs_to(owner):
        if not is_held(system, device):
            return None
        process = ProcessHandle.open(journal.pid, journal.pid_start_time)
        if process is not None:
            if is_holder(system, device, journal.pid):
                return process
            process.close()
        if not deadline.look_again():
            raise Failure(
                f"container `{owner.identifier}` lives, and its process is not to be seen from here",
                "call in the machine's own pid namespace, as the user of the container or root",
            )
    return None


def holder(system: SystemPaths, device: str) -> str:
    """The id of the container that holds the processor now, "" when none does. For reports only."""
    journal = holding_journal(system, device)
    return journal.identifier if journal else ""


def holding_journal(system: SystemPaths, device: str) -> Journal | None:
    """Of the container that holds the processor now. For reports only."""
    journal = readable_journal(system, device)
    return journal if journal and is_held(system, device) else None


def is_holder(system: SystemPaths, device: str, pid: int) -> bool:
    """Whether that process has the processor's lock open. A journal is believed so far and no further: who may write
    one could name any process in it, to have it killed by root."""
    try:
        lock = os.stat(f"{system.claims}/{device}")
        descriptors = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for descriptor in descriptors:
        try:
            if same_file(lock, os.stat(f"/proc/{pid}/fd/{descriptor}")):
                return True
        except OSError:
            continue
    return False
