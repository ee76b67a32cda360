"""The folder of all containers (--root) and the folder of each: who may be in it, how it comes and goes."""

import posix as os

from hybrid_runtime.container.identifier import check_identifier, is_identifier
from hybrid_runtime.container.record import Record, UnreadableRecord, load_record, record_path
from hybrid_runtime.engine_phrases import DOES_NOT_EXIST
from hybrid_runtime.failure import Failure, errno_meaning
from hybrid_runtime.path import absolute, exists, is_folder, make_folders, same_file

CONTROL_SOCKET = "control"
LOG = "log"


class Store:
    """`root` is absolute."""

    def __init__(self, root: str) -> None:
        self.root = absolute(root)

    def folder(self, identifier: str) -> str:
        return f"{self.root}/{check_identifier(identifier)}"

    def identifiers(self) -> list[str]:
        """Of all containers, the unreadable ones among them. Raises Failure."""
        self._require_private_root()
        try:
            with os.scandir(self.root) as entries:
                folders = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Failure(
                f"cannot list `{self.root}`: {errno_meaning(error)}", "call as its owner, or choose another --root"
            ) from error
        return sorted(name for name in folders if is_identifier(name) and not self._is_of_another_runtime(name))

    def _is_of_another_runtime(self, identifier: str) -> bool:
        """CRI-O gives several runtimes the same root. runc and youki keep state.json, crun keeps status."""
        folder = f"{self.root}/{identifier}"
        return not exists(record_path(folder)) and any(exists(f"{folder}/{name}") for name in ("state.json", "status"))

    def load(self, identifier: str) -> Record:
        """Raises Failure with the words engines know when there is no such container, UnreadableRecord otherwise."""
        folder = self.folder(identifier)
        self._require_private_root()
        try:
            return load_record(folder, identifier)
        except UnreadableRecord:
            if is_folder(folder) and not self._is_of_another_runtime(identifier):
                raise
            raise Failure(DOES_NOT_EXIST, f"`{identifier}` is not in `{self.root}`") from None

    def make_folder(self, identifier: str) -> str:
        """A new, empty, private folder. Raises Failure when the id is taken."""
        folder = self.folder(identifier)
        self.make_root()
        try:
            os.mkdir(folder, 0o700)
        except FileExistsError:
            raise Failure(
                f"container `{identifier}` already exists",
                f"choose another id or `hybrid-runtime delete {identifier}`",
            ) from None
        except OSError as error:
            raise Failure(f"cannot make `{folder}`: {errno_meaning(error)}", "choose another --root") from error
        return folder

    def make_root(self) -> None:
        try:
            make_folders(self.root, 0o700)
        except OSError as error:
            raise Failure(f"cannot make `{self.root}`: {errno_meaning(error)}", "choose another --root") from error
        self._require_private_root()

    def _require_private_root(self) -> None:
        """Below /tmp anybody may have made it first, with records that name our processes and links to our files."""
        if not self.root.startswith("/tmp/hybrid-runtime-"):
            return
        try:
            facts = os.lstat(self.root)
        except FileNotFoundError:
            return
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o170077 != 0o040000:
            raise Failure(f"`{self.root}` is not a private folder of this user", "remove it or choose another --root")


def remove_folder(folder: str) -> None:
    """Everything in a container's folder, with its subfolders, then the folder. Links are not followed.

    Raises OSError; what was gone before is no error, nor is a create that takes the emptied folder over meanwhile.
    """
    try:
        before = os.stat(folder, follow_symlinks=False)
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            remove_folder(entry.path)
        else:
            try:
                os.unlink(entry.path)
            except FileNotFoundError:
                continue
    try:
        if same_file(before, os.stat(folder, follow_symlinks=False)):
            os.rmdir(folder)
    except FileNotFoundError:
        return
