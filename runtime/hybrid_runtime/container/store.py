"""The folder of all containers (--root) and the folder of each: who may be in it, how it comes and goes."""

import errno
import posix as os

from hybrid_runtime.container.engine_phrases import DOES_NOT_EXIST
from hybrid_runtime.container.identifier import check_identifier, is_identifier
from hybrid_runtime.container.record import RECORD, ROOT_REMEDIES, Record, UnreadableRecord, load_record, record_path
from hybrid_runtime.system.durable_file import remove_file
from hybrid_runtime.system.failure import Failure, failed
from hybrid_runtime.system.path import absolute, exists, make_folders, on_machine, open_folder, same_file
from hybrid_runtime.system.system_paths import SystemPaths

CONTROL_SOCKET = "control"
LOG = "log"
# What other runtimes keep in a container's folder; youki does as runc.
OF_RUNC = "state.json"
OF_CRUN = "status"
_MOST_REMOVALS = 16


class Store:
    """All containers of one machine below one folder. `root` is absolute."""

    def __init__(self, system: SystemPaths, root: str) -> None:
        self.system = system
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
            raise failed(f"cannot list `{self.root}`", error, "choose another --root", ROOT_REMEDIES) from error
        return sorted(name for name in folders if is_identifier(name) and not _record_of_another(self.folder(name)))

    def record_of_another(self, words: list[str]) -> str:
        """OF_RUNC or OF_CRUN when one of a verb's words is the id of a container that another runtime keeps under this
        root, else empty."""
        folders = [f"{self.root}/{word}" for word in words if not word.startswith("-") and is_identifier(word)]
        return next(filter(None, map(_record_of_another, folders)), "")

    def load(self, identifier: str, folder: "HeldFolder | None" = None) -> Record:
        """Raises Failure with the words engines know when there is no such container, UnreadableRecord otherwise.

        A folder with nothing in it comes or goes this moment, or its maker or remover was killed: no container yet,
        or none any more.
        """
        content = folder.content if folder else self.folder(identifier)
        self._require_private_root()
        try:
            return load_record(content, identifier)
        except UnreadableRecord:
            if is_unsigned(content) or _record_of_another(content):
                raise self._absent(identifier) from None
        # The first record may have come between the two looks.
        return load_record(content, identifier)

    def hold(self, identifier: str) -> "HeldFolder":
        """Raises Failure with the words engines know when there is no such container."""
        self._require_private_root()
        try:
            return HeldFolder(self.folder(identifier))
        except (FileNotFoundError, NotADirectoryError):
            raise self._absent(identifier) from None

    def _absent(self, identifier: str) -> Failure:
        return Failure(DOES_NOT_EXIST, f"`{identifier}` is not in `{self.root}`")

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
            raise failed(f"cannot make `{folder}`", error, "choose another --root", ROOT_REMEDIES) from error
        return folder

    def make_root(self) -> None:
        try:
            make_folders(self.root, 0o700)
        except OSError as error:
            raise failed(f"cannot make `{self.root}`", error, "choose another --root", ROOT_REMEDIES) from error
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


def _record_of_another(folder: str) -> str:
    """Empty for a folder that is ours. CRI-O gives several runtimes the same root."""
    if exists(record_path(folder)):
        return ""
    return next((name for name in (OF_RUNC, OF_CRUN) if exists(f"{folder}/{name}")), "")


def is_unsigned(folder: str) -> bool:
    """Whether it is empty but for a first record in the making, or not there."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return True
    return all(name.startswith(f"{RECORD}.") for name in names)


class HeldFolder:
    """A container's folder: what is done through `content` is done to this very one, as long as this process lives.

    Another one that has taken its name meanwhile is another container's. Raises OSError.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.descriptor, _ = open_folder(path)

    @property
    def content(self) -> str:
        """The path of what is in it."""
        return on_machine(f"/proc/self/fd/{self.descriptor}")

    @property
    def is_private(self) -> bool:
        """Whether it is this user's, and nobody else can have written into it, as for every folder made here."""
        facts = os.fstat(self.descriptor)
        return facts.st_uid == os.geteuid() and not facts.st_mode & 0o077

    def has_its_name(self) -> bool:
        """Whether its path still means this folder."""
        try:
            return same_file(os.fstat(self.descriptor), os.lstat(on_machine(self.path)))
        except FileNotFoundError:
            return False

    def remove(self) -> None:
        """Everything in it, with its subfolders, then the folder itself. Links are not followed.

        Raises OSError; what was gone before is no error.
        """
        for _ in range(_MOST_REMOVALS):
            _remove_content(self.content)
            try:
                if self.has_its_name():
                    os.rmdir(on_machine(self.path))
            except FileNotFoundError:
                return
            except OSError as error:
                # A command that had begun before us has written the record meanwhile.
                if error.errno != errno.ENOTEMPTY:
                    raise
            else:
                return


def remove_folder(path: str) -> None:
    """As HeldFolder.remove. Raises OSError."""
    try:
        folder = HeldFolder(path)
    except FileNotFoundError:
        return
    try:
        folder.remove()
    finally:
        os.close(folder.descriptor)


def _remove_content(folder: str) -> None:
    # The record last: as long as it is there so is the container, also when we are killed.
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name == RECORD):
        if entry.is_dir(follow_symlinks=False):
            try:
                _remove_content(entry.path)
                os.rmdir(entry.path)
            except FileNotFoundError:
                # Another delete is at the same.
                continue
        else:
            remove_file(entry.path)
