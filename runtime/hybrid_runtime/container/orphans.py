"""Installed firmware that nobody answers for: of an earlier boot, or of a death that no journal tells of."""

import posix as os

from hybrid_runtime.container.claim import read_journal
from hybrid_runtime.container.record import is_device
from hybrid_runtime.firmware.installation import names_of_ours
from hybrid_runtime.processor.remoteproc import processors
from hybrid_runtime.system.durable_file import remove_file
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import is_file
from hybrid_runtime.system.system_paths import SystemPaths


def find_orphans(system: SystemPaths, folder: str) -> list[str]:
    """Paths in that firmware folder. Empty as long as a journal cannot be read: it may name any of them."""
    # The listing comes first. create journals a name before it installs the file: whatever is listed here has its
    # journal by now, and the journals are read after it.
    names = names_of_ours(folder)
    if not names:
        return []
    try:
        used = _journaled_names(system) | _running_names(system)
    except (Failure, OSError):
        return []
    # Sorted out by use alone: the journals of this boot name all that a living container needs of this boot, and
    # files of other boots are needed by nobody.
    paths = [f"{folder}/{name}" for name in sorted(names) if name.removesuffix(".tmp") not in used]
    return [path for path in paths if is_file(path, follow=False)]


def collect_orphans(system: SystemPaths, folder: str) -> list[str]:
    """Removes them; the paths of those that are gone. What cannot be removed is left for the next one."""
    collected = []
    for path in find_orphans(system, folder):
        try:
            remove_file(path)
        except OSError:
            continue
        collected.append(path)
    return collected


def _journaled_names(system: SystemPaths) -> set[str]:
    """Raises Failure or OSError when not every journal can be read."""
    try:
        entries = os.listdir(system.claims)
    except FileNotFoundError:
        return set()
    # By the lock files, which are never replaced: a listing may miss a journal that is renamed into place meanwhile.
    devices = {entry.partition(".")[0] for entry in entries if is_device(entry.partition(".")[0])}
    journals = [read_journal(system, device) for device in devices]
    return {journal.firmware_file.rpartition("/")[2] for journal in journals if journal}


def _running_names(system: SystemPaths) -> set[str]:
    """What cores were started with; the kernel reads it again when it recovers one."""
    return {
        remoteproc.read_or("firmware", "").rpartition("/")[2]
        for remoteproc in processors(system)
        if remoteproc.read_or("state", "") != "offline"
    }
