"""Undoing what a holder did to the machine: at an orderly end by itself, after its death by the next holder."""

import posix as os

from hybrid_runtime.container.claim import Claim, DamagedJournal, Journal, journal_path, read_journal
from hybrid_runtime.firmware.installation import boot_of, remove_installed
from hybrid_runtime.processor.remoteproc import STOP_SECONDS, ProcessorGone, Remoteproc
from hybrid_runtime.processor.shutdown_on_release import disarm_device
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.durable_file import remove_file
from hybrid_runtime.system.failure import failed

# What a damaged journal is called afterwards.
ASIDE = ".journal.damaged"


def undo_leftovers(claim: Claim) -> None:
    """What the journal of a dead holder says. Raises Failure when the core cannot be stopped: the journal stays."""
    try:
        journal = read_journal(claim.system, claim.device)
    except DamagedJournal:
        set_damaged_journal_aside(claim)
        return
    if journal is None:
        return
    remoteproc = Remoteproc(claim.system, claim.device)
    try:
        stop_if_ours(remoteproc, journal.firmware_name)
        if journal.shutdown_on_release:
            disarm_device(claim.system.device_node(claim.device))
        restore_settings(remoteproc, journal)
    except ProcessorGone:
        pass
    except OSError as error:
        raise failed(
            f"cannot undo what container `{journal.identifier}` has left on `{claim.device}`",
            error,
            "see dmesg, and who else controls the processor",
        ) from error
    forget(claim, journal)


def set_damaged_journal_aside(claim: Claim) -> None:
    """A journal that says nothing must not keep the processor for ever. What can be undone without it is."""
    stop_without_journal(claim)
    path = journal_path(claim.system, claim.device)
    aside = path.removesuffix(".journal") + ASIDE
    try:
        _make_way(aside)
        os.rename(path, aside)
    except OSError as error:
        raise failed(f"cannot set `{path}` aside", error, "call as its owner, or root") from error


def _make_way(aside: str) -> None:
    """One is kept, the last. Raises OSError."""
    try:
        remove_file(aside)
    except IsADirectoryError:
        # No journal of ours, and neither looked into nor in the way.
        os.rename(aside, f"{aside}.{os.urandom(4).hex()}")


def stop_without_journal(claim: Claim) -> None:
    """A core that runs a file of our naming, of this boot, is ours, and its holder is dead since we have the lock. Any
    other core is left alone. Raises Failure and OSError."""
    remoteproc = Remoteproc(claim.system, claim.device)
    try:
        firmware = remoteproc.firmware
        if boot_of(firmware) == claim.system.boot_id():
            stop_if_ours(remoteproc, firmware)
    except ProcessorGone:
        pass
    disarm_device(claim.system.device_node(claim.device))


def stop_if_ours(remoteproc: Remoteproc, firmware_name: str, seconds: float = STOP_SECONDS) -> None:
    """Raises StopRefused, ProcessorGone and OSError."""
    if remoteproc.runs_firmware(firmware_name):
        remoteproc.stop_until_offline(Deadline(seconds))


def restore_settings(remoteproc: Remoteproc, journal: Journal) -> None:
    """Recovery and coredump as they were before us."""
    for attribute, before in (("recovery", journal.recovery_before), ("coredump", journal.coredump_before)):
        if before:
            remoteproc.restore(attribute, before)


def forget(claim: Claim, journal: Journal) -> None:
    """Firmware first, journal last: a death in between is undone again. Raises Failure."""
    if journal.firmware_file:
        remove_installed(journal.firmware_file)
    if journal.cgroup_folders:
        from hybrid_runtime.container.cgroup import leave_and_remove

        leave_and_remove(claim.system, journal.cgroup_folders, journal.cgroup_before)
    claim.clear_journal()
