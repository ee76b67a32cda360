"""A container: its folder, its record, its status, and the ways to end it."""

import posix as os

from hybrid_runtime.container.record import CREATING, Exit, Owner, Record
from hybrid_runtime.container.status import STOPPED, has_supervisor, load_status, open_supervisor
from hybrid_runtime.container.store import HeldFolder, Store
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.process_identity import ProcessHandle
from hybrid_runtime.system.timestamp import rfc3339

# Of a process that SIGKILL has ended (128 + 9).
KILLED_CODE = 137


class Container:
    """One container that is there. Its folder is held: nothing done here is done to the next container of its id.

    `record` and `status` are those of the last look.
    """

    def __init__(self, store: Store, identifier: str, folder: HeldFolder | None = None) -> None:
        """Raises Failure with the words engines know when there is none, and UnreadableRecord."""
        self.store = store
        self.identifier = identifier
        self.folder = folder or store.hold(identifier)
        self.look_again()

    def load(self) -> Record:
        """The record as it is now. Raises as the constructor does."""
        return self.store.load(self.identifier, self.folder)

    def look_again(self) -> None:
        """Raises as the constructor does."""
        self.record, self.status = load_status(self.store, self.load)

    def await_end(self, deadline: Deadline) -> None:
        """The core stops first, then its supervisor says how: one that is about to is waited for.

        Raises as the constructor does.
        """
        if self.status is not STOPPED or self.record.end:
            return
        process = ProcessHandle.open(self.record.pid, self.record.pid_start_time)
        if process is not None:
            with process:
                process.wait_until_gone(deadline)
            self.look_again()

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
        from hybrid_runtime.container.reclaim import KILL_SECONDS, end_all_holders, end_holder, kill_process

        system, record = self.store.system, self.record
        process = ProcessHandle.open(record.pid, record.pid_start_time)
        if process is not None:
            with process:
                kill_process(process, self.owner)
        if record.phase == CREATING or not record.device:
            # Create was killed before it could note the processor, or has not come so far. Its supervisor undoes
            # everything by itself, also what only it knows of: the pid file.
            end_all_holders(system, self.owner, KILL_SECONDS)
        else:
            end_holder(system, record.device, self.owner)
        if process is not None:
            self._note_kill()

    def _note_kill(self) -> None:
        """The record only reports: a full disk or a folder removed meanwhile undo nothing of the kill."""
        self.record.end = Exit(KILLED_CODE, "killed", rfc3339())
        try:
            self.record.save(self.folder.content)
        except Failure:
            return

    def destroy(self) -> list[str]:
        """Kills it, removes its folder, then runs the poststop hooks. Returns the problems of those.

        Raises Failure and OSError: the folder is then still there.
        """
        bundle = None
        if "poststop" in self.record.hooks:
            from hybrid_runtime.bundle.bundle import kept_bundle

            bundle = kept_bundle(self.folder.content, self.record.bundle)
        self.kill()
        self.folder.remove()
        if bundle is None:
            return []
        from hybrid_runtime.container.hook_run import run_poststop_hooks

        return run_poststop_hooks(bundle, self.record)
