"""Leftovers of interrupted containers: every doctor finds them, and `doctor --repair` undoes them. Containers that live
are never touched."""

import os
from collections.abc import Iterator

from hybrid_runtime.container.claim import (
    DamagedJournal,
    Journal,
    claimed_devices,
    read_journal,
    take_claim,
)
from hybrid_runtime.container.holder import is_held
from hybrid_runtime.container.orphans import collect_orphans, find_orphans
from hybrid_runtime.container.reclaim import reclaim
from hybrid_runtime.container.record import UnreadableRecord
from hybrid_runtime.container.status import STOPPED, status_of
from hybrid_runtime.container.store import Store
from hybrid_runtime.container.sweep import is_interrupted, sweep
from hybrid_runtime.container.undo import ASIDE, stop_without_journal
from hybrid_runtime.firmware.installation import boot_of
from hybrid_runtime.firmware.search_path import firmware_folders
from hybrid_runtime.processor.remoteproc import processors
from hybrid_runtime.setup.doctor.finding import DELETE, OK, PROBLEM, REPAIR, WARNING, Check, Finding, Repaired
from hybrid_runtime.system.failure import Failure, reason
from hybrid_runtime.system.path import link_exists
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.text import as_word

CONTAINERS = Check(OK, "containers", "The number of containers, and how many of them have stopped.")
NOTHING_LEFT = Check(OK, "there are no leftovers", "No interrupted container has left anything behind.")
INTERRUPTED_HOLDER = Check(
    PROBLEM,
    "an interrupted container still holds a processor",
    "Its supervisor ended by SIGKILL. Without /dev/remoteprocN its core may still run. "
    "With it, the flag shutdown-on-release may be set, and any close of the device would stop the next core. "
    "The next `create`, `kill` or `delete` undoes it.",
    REPAIR,
)
DAMAGED_JOURNAL = Check(
    PROBLEM,
    "a journal is damaged",
    "Its content is lost. The next `create`, `kill` or `delete` sets it aside, "
    "and stops the core if it runs a container's firmware.",
    REPAIR,
)
JOURNALS_FORBIDDEN = Check(
    WARNING,
    "the journals may not be read",
    "They belong to another user.",
    "call as root, or as the user they belong to",
)
SET_ASIDE = Check(
    WARNING,
    "a damaged journal was set aside",
    "It is kept as evidence, and nothing reads it.",
    "look at it if you like, then rm {path}",
)
ORPHANED_FIRMWARE = Check(
    WARNING,
    "firmware files have no container",
    "A reboot left them, or an interrupted process whose journal is gone. The next `create` removes them.",
    REPAIR,
)
ABANDONED = Check(WARNING, "a container's create was interrupted", "Its id is free again.", REPAIR)
UNREADABLE = Check(
    PROBLEM,
    "a container's record cannot be read",
    "The disk is damaged, or another version wrote the record. `delete` removes everything that can be found.",
    DELETE,
)
FOLDER_GONE = Check(
    PROBLEM,
    "a container runs whose folder is gone",
    "Somebody removed the folder below `--root`. The supervisor goes on until `delete` stops it.",
    DELETE,
)
NOT_REPAIRED = Check(
    PROBLEM,
    "a repair failed",
    "The kernel does not let go of a core, or files cannot be removed.",
    "see dmesg, and who else controls the processor; then try again, or reset the processor: "
    "unbind and bind its driver",
)
ROOT_FORBIDDEN = Check(
    PROBLEM,
    "the containers cannot be listed",
    "The root folder belongs to another user, or is not private below /tmp.",
    "call as their owner, or choose another --root",
)


def check(store: Store) -> Iterator[Finding]:
    findings = [*_check_claims(store.system), *_check_firmware(store.system), *_check_containers(store)]
    if all(finding.level == OK for finding in findings):
        yield NOTHING_LEFT.found()
    yield from findings


def journals(system: SystemPaths) -> Iterator[tuple[str, Journal | None]]:
    """Devices with a journal; None for one that is damaged. Raises Failure or OSError where they may not be read."""
    try:
        devices = claimed_devices(system, ".journal")
    except FileNotFoundError:
        return
    for device in devices:
        try:
            journal = read_journal(system, device)
        except DamagedJournal:
            yield device, None
            continue
        if journal is not None:
            yield device, journal


def _check_claims(system: SystemPaths) -> Iterator[Finding]:
    try:
        for device, journal in journals(system):
            if journal is None:
                yield DAMAGED_JOURNAL.found(f"`{system.claims}/{device}.journal`")
            elif not is_held(system, device):
                flag = ", shutdown-on-release may still be set" if journal.shutdown_on_release else ""
                yield INTERRUPTED_HOLDER.found(
                    f"container `{journal.identifier}` (root `{journal.root}`) on {device}{flag}"
                )
            elif not link_exists(f"{journal.root}/{journal.identifier}"):
                yield FOLDER_GONE.found(
                    f"`{journal.identifier}` on {device}, process {journal.pid}",
                    root=as_word(journal.root),
                    id=journal.identifier,
                )
        aside = claimed_devices(system, ASIDE) if os.path.isdir(system.claims) else []
    except (Failure, OSError) as error:
        yield JOURNALS_FORBIDDEN.found(str(error))
        return
    for device in aside:
        path = f"{system.claims}/{device}{ASIDE}"
        yield SET_ASIDE.found(f"`{path}`", path=as_word(path))


def _check_firmware(system: SystemPaths) -> Iterator[Finding]:
    for folder in firmware_folders(system):
        orphans = find_orphans(system, folder)
        if orphans:
            yield ORPHANED_FIRMWARE.found(", ".join(f"`{path}`" for path in orphans))


def _check_containers(store: Store) -> Iterator[Finding]:
    try:
        identifiers = store.identifiers()
    except Failure as failure:
        yield ROOT_FORBIDDEN.found(failure.message)
        return
    stopped = 0
    for identifier in identifiers:
        if is_interrupted(store, identifier):
            yield ABANDONED.found(f"`{store.folder(identifier)}`")
            continue
        try:
            stopped += status_of(store, store.load(identifier)) is STOPPED
        except UnreadableRecord as failure:
            yield UNREADABLE.found(failure.message, root=as_word(store.root), id=identifier)
        except Failure:
            # Deleted this moment.
            continue
    yield CONTAINERS.found(f"{len(identifiers)} in `{store.root}`, {stopped} of them stopped")


def repair(store: Store) -> Iterator[Repaired]:
    """All leftovers are undone. Processors whose holder lives are refused by their locks."""
    system = store.system
    yield from _repair_claims(system)
    yield from _repair_cores(system)
    for folder in firmware_folders(system):
        for path in collect_orphans(system, folder):
            yield Repaired(f"removed `{path}`, which no container answers for")
    yield from _repair_containers(store)


def _repair_claims(system: SystemPaths) -> Iterator[Repaired]:
    try:
        left = [(device, journal) for device, journal in journals(system) if not (journal and is_held(system, device))]
    except (Failure, OSError) as error:
        yield Repaired("looked for journals", str(error))
        return
    for device, journal in left:
        what = (
            f"undid container `{journal.identifier}` on {device}" if journal else f"set aside the journal of {device}"
        )
        try:
            # False: taken over meanwhile by a create, which undoes it first.
            if reclaim(system, device):
                yield Repaired(what)
        except (Failure, OSError) as error:
            yield Repaired(what, reason(error))


def _repair_cores(system: SystemPaths) -> Iterator[Repaired]:
    """Those that run a container's firmware without any journal that tells of it."""
    for remoteproc in processors(system):
        firmware = remoteproc.read_or("firmware", "")
        if remoteproc.read_or("state", "offline") == "offline" or boot_of(firmware) != system.boot_id():
            continue
        what = f"stopped {remoteproc.device}, which ran `{firmware}` without a container"
        try:
            claim = take_claim(system, remoteproc.device)
            if claim is None:
                continue
            try:
                if read_journal(system, remoteproc.device) is None:
                    stop_without_journal(claim)
                    yield Repaired(what)
            finally:
                claim.close()
        except (Failure, OSError) as error:
            yield Repaired(what, reason(error))


def _repair_containers(store: Store) -> Iterator[Repaired]:
    try:
        for folder in sweep(store):
            yield Repaired(f"removed `{folder}`, whose create was interrupted")
    except (Failure, OSError) as error:
        yield Repaired(f"looked at `{store.root}`", reason(error))
