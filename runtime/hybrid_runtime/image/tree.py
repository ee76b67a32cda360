"""The file system that an image's layers add up to, in memory: nothing is unpacked but the file asked for."""

from hybrid_runtime.bundle.rootfs import places
from hybrid_runtime.image.layer import FILE, FOLDER, HARD_LINK, LINK, Entry
from hybrid_runtime.image.tar_stream import LONGEST_PATH, EntryCount
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.path import components
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Folder: TypeAlias = dict[str, "Node"]
    Node: TypeAlias = "Folder | File | Link"

# As the kernel's own limit on links in one path (path_resolution(7)).
MOST_LINKS = 40
# OCI image spec, layer.md, Whiteouts
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_REMEDY = "build the image again: no builder writes such a layer"


class File:
    """Where its bytes lie: number of the layer, position in it unpacked."""

    def __init__(self, layer: int, offset: int, size: int) -> None:
        self.layer = layer
        self.offset = offset
        self.size = size
        # The names from the root on, once it was found.
        self.path: tuple[str, ...] = ()


class Link:
    def __init__(self, target: str) -> None:
        self.target = target


class _Unresolved(Exception):
    """Why a path leads to no regular file."""


class _Absent(_Unresolved):
    """There is nothing of that name."""


class Tree:
    """`count` is what the layers' own entries are counted with as well."""

    def __init__(self, count: EntryCount) -> None:
        self.count = count
        self.root: Folder = {}
        self.layers = 0

    def apply(self, entries: "Iterable[Entry]") -> None:
        """One layer more. Whiteouts take away what is below, wherever in the layer they stand. Raises Failure."""
        changes = []
        for entry in entries:
            if entry.path[-1].startswith(_WHITEOUT):
                self._whiteout(entry.path)
            else:
                changes.append(entry)
        own: set[tuple[str, ...]] = set()
        for entry in changes:
            self._place(entry, own)
        self.layers += 1

    def _whiteout(self, path: tuple[str, ...]) -> None:
        name = path[-1]
        folder = self._lookup(path[:-1])
        if name == _OPAQUE:
            if isinstance(folder, dict):
                folder.clear()
            return
        if name.startswith(_WHITEOUT + _WHITEOUT):
            # Names that old union file systems keep for themselves.
            return
        hidden = name.removeprefix(_WHITEOUT)
        if hidden in ("", ".", ".."):
            raise Failure(f"the layer has the whiteout {quote('/'.join(path))}, which names nothing", _REMEDY)
        if isinstance(folder, dict):
            folder.pop(hidden, None)

    def _place(self, entry: Entry, own: set[tuple[str, ...]]) -> None:
        folder = self._folder(entry.path[:-1], own)
        name = entry.path[-1]
        present = folder.get(name)
        if entry.path in own:
            if entry.kind == FOLDER and isinstance(present, dict):
                return
            raise Failure(f"the layer has {quote('/'.join(entry.path))} twice", _REMEDY)
        own.add(entry.path)
        if entry.kind == FOLDER:
            if not isinstance(present, dict):
                folder[name] = {}
        elif entry.kind == FILE:
            folder[name] = File(self.layers, entry.offset, entry.size)
        elif entry.kind == LINK:
            folder[name] = Link(entry.target)
        elif entry.kind == HARD_LINK:
            folder[name] = self._linked(entry)

    def _linked(self, entry: Entry) -> "File | Link":
        node = self._lookup(tuple(entry.target.split("/")))
        if node is None or isinstance(node, dict):
            raise Failure(
                f"the layer has the hard link {quote('/'.join(entry.path))} to {quote(entry.target)}, which is no "
                "file of the image",
                _REMEDY,
            )
        return node

    def _folder(self, path: tuple[str, ...], own: set[tuple[str, ...]]) -> "Folder":
        """Made where it is missing: builders leave folders out. A link is not followed: that is how layers escape."""
        folder = self.root
        for depth, name in enumerate(path, 1):
            if name not in folder:
                self.count.another("image")
            inner = folder.setdefault(name, {})
            if not isinstance(inner, dict):
                raise Failure(
                    f"the layer has {quote('/'.join(path))} as a folder, and {quote('/'.join(path[:depth]))} is none",
                    _REMEDY,
                )
            folder = inner
        while path and path not in own:
            own.add(path)
            path = path[:-1]
        return folder

    def _lookup(self, path: tuple[str, ...]) -> "Node | None":
        """Without following links."""
        node: Node = self.root
        for name in path:
            if not isinstance(node, dict) or name not in node:
                return None
            node = node[name]
        return node

    def find(self, path: str, working_folder: str = "/") -> File:
        """The regular file that `path` means with the image's root as "/", as bundle/rootfs.py finds it on a disk.

        Raises Failure.
        """
        *before, last = places(path, working_folder)
        try:
            for place in before:
                try:
                    return self._resolve(place)
                except _Absent:
                    continue
            return self._resolve(last)
        except _Unresolved as reason:
            below = f", below {quote(working_folder)} or `/`" if before else ""
            raise Failure(
                f"the image has no firmware {quote(path)}{below}: {reason}",
                "ENTRYPOINT and CMD must name a file of the image",
            ) from None

    def _resolve(self, path: str) -> File:
        """Raises _Unresolved."""
        folders: list[tuple[str, Folder]] = [("", self.root)]
        pending = components(path)
        links = 0
        while pending:
            name = pending.pop(0)
            if name == "..":
                del folders[max(1, len(folders) - 1) :]
                continue
            node = folders[-1][1].get(name)
            if isinstance(node, Link):
                links += 1
                if node.target.startswith("/"):
                    del folders[1:]
                pending = components(node.target) + pending
                if links > MOST_LINKS or len(pending) > LONGEST_PATH:
                    raise _Unresolved("too many symbolic links")
            elif isinstance(node, dict):
                folders.append((name, node))
            elif node is None:
                raise _Absent(f"{quote(name)} is not there")
            elif pending:
                raise _Absent(f"{quote(name)} is not a folder")
            else:
                node.path = (*(folder for folder, _ in folders[1:]), name)
                return node
        raise _Unresolved("it is a folder")
