"""The machine's paths for a process that has another root. A process with the machine's own root needs none of this."""

from hybrid_runtime.system.path import enter_another_root, resolved


class OuterRoot:
    """The machine's root: a process's working folder, and its only way back.

    `folders` may lie behind links, or not be there yet. All other paths lead through none but the kernel's own links,
    which are relative. An absolute link on the way would lead into the process's own root.
    """

    def __init__(self, folders: list[str]) -> None:
        self._resolved = {folder: _resolved_so_far(folder) for folder in folders if folder}

    def path(self, path: str) -> str:
        """An absolute path of the machine, seen from the working folder."""
        folder = path
        while folder and folder not in self._resolved:
            folder = folder.rpartition("/")[0]
        return f".{self._resolved.get(folder, '')}{path[len(folder) :]}"

    def named(self, text: str) -> str:
        """A path, or a text that quotes some, with the names that the machine has for them."""
        text = text.replace("`./", "`/")
        return text[1:] if text.startswith("./") else text


def reach_machine_from_working_folder(folders: list[str]) -> None:
    """From now on: the working folder is the machine's root, and the root of this process may be another. `folders` are
    all that it writes to beside the kernel's files."""
    enter_another_root(OuterRoot(folders))


def _resolved_so_far(folder: str) -> str:
    try:
        return resolved(folder)
    except OSError:
        outer, _, name = folder.rpartition("/")
        return f"{_resolved_so_far(outer)}/{name}" if outer else folder
