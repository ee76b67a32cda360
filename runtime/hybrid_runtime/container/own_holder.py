"""The container that holds a processor, where it is this user's own."""

import posix as os

from hybrid_runtime.container.claim import Journal
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.holder import is_holder
from hybrid_runtime.container.store import HeldFolder, Store
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths


def own_container(system: SystemPaths, device: str, journal: Journal) -> Container | None:
    """The container that the processor's journal names, to be closed. None for one that goes this moment, or that
    others can have written.

    Who shares the claims could name any folder in a journal. Root would run a hook, remove what is there, or wait for a
    pipe.
    """
    try:
        folder = HeldFolder(f"{journal.root}/{journal.identifier}")
    except OSError:
        return None
    try:
        if folder.is_private:
            container = Container(Store(system, journal.root), journal.identifier, folder)
            if is_holder(system, device, container.record.pid):
                return container
    except (Failure, OSError):
        pass
    os.close(folder.descriptor)
    return None
