"""A container: its folder, its record, its status, and the ways to end it."""

import posix as os

from hybrid_runtime.container.record import Owner, Record
from hybrid_runtime.container.status import has_supervisor, load_status, open_supervisor
from hybrid_runtime.container.store import Store
from hybrid_runtime.process_identity import ProcessHandle


class Container:
    """One container that is there. Its folder is held: nothing done here is done to the next container of its id.

    `record` and `status` are those of the last look.
    """

    def __init__(self, store: Store, identifier: str) -> None:
        """Raises Failure with the words engines know when there is none, and UnreadableRecord."""
        self.store = store
        self.identifier = identifier
        self.folder = store.hold(identifier)
        self.look_again()

    def load(self) -> Record:
        """The record as it is now. Raises as the constructor does."""
        return self.store.load(self.identifier, self.folder)

    def look_again(self) -> None:
        """Raises as the constructor does."""
        self.record, self.status = load_status(self.store, self.load)

    def close(self) -> None:
        """Lets go of the folder."""
        os.close(self.folder.descriptor)

    @property
    def owner(self) -> Owner:
        """As the journals of processors name it."""
        return self.record.owner(self.store.root)

    @property
    def has_supervisor(self) -> bool:
        """Asked now."""
        return has_supervisor(self.store, self.record)

    def open_supervisor(self) -> ProcessHandle | None:
        """None when it is dead. Raises Failure when it lives where its pid means another process, or none."""
        return open_supervisor(self.store, self.record)

    def kill(self) -> None:
        """Afterwards no process, no running core, no claim. Raises Failure: what could not be done is journaled."""
        from hybrid_runtime.container.ending import kill_and_undo

        kill_and_undo(self.store, self.folder, self.record)

    def destroy(self) -> list[str]:
        """Kills it, removes its folder, then runs the poststop hooks. Returns the problems of those.

        Raises Failure and OSError: the folder is then still there.
        """
        from hybrid_runtime.container.ending import kill_and_undo

        bundle = None
        if "poststop" in self.record.hooks:
            from hybrid_runtime.firmware.bundle import kept_bundle

            bundle = kept_bundle(self.folder.content, self.record.bundle)
        kill_and_undo(self.store, self.folder, self.record)
        self.folder.remove()
        if bundle is None:
            return []
        from hybrid_runtime.container.hook import run_poststop_hooks

        return run_poststop_hooks(bundle, self.record)
