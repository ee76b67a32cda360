"""The file system that an image's layers add up to, in memory: nothing is unpacked but the file asked for."""

import errno
import os

from hybrid_runtime.bundle.rootfs import find, places
from hybrid_runtime.image.layer import FILE, FOLDER, HARD_LINK, LINK, Entry
from hybrid_runtime.image.tar_stream import EntryCount
from hybrid_runtime.system.failure import Failure, errno_meaning
from hybrid_runtime.system.text import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Folder: TypeAlias = dict[str, "Node"]
    Node: TypeAlias = "Folder | File | Link"

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
        """The regular file that `path` means with the image's root as "/". Raises Failure."""
        try:
            return find(lambda: _Place((), self.root), path, working_folder)
        except OSError as error:
            below = f", below {quote(working_folder)} or `/`" if len(places(path, working_folder)) > 1 else ""
            reason = f"{quote(error.filename)} {error.strerror}" if error.filename else errno_meaning(error)
            raise Failure(
                f"the image has no firmware {quote(path)}{below}: {reason}",
                "ENTRYPOINT and CMD must name a file of the image",
            ) from None


class _Place:
    """A folder, and the names from the root to it."""

    def __init__(self, path: tuple[str, ...], nodes: "Folder") -> None:
        self.path = path
        self.nodes = nodes

    def link_target(self, name: str) -> str | None:
        if name not in self.nodes:
            raise FileNotFoundError(errno.ENOENT, "is not there", name)
        node = self.nodes[name]
        return node.target if isinstance(node, Link) else None

    def enter(self, name: str) -> "_Place":
        node = self.nodes[name]
        if not isinstance(node, dict):
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", name)
        return _Place((*self.path, name), node)

    def take(self, name: str) -> File:
        node = self.nodes[name]
        if not isinstance(node, File):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        node.path = (*self.path, name)
        return node

    def leave(self) -> None:
        """It is nothing but names."""
