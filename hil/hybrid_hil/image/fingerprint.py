"""Hashes over everything that goes into a component, so that equal names mean equal contents."""

import ast
import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

LENGTH = 16


class Fingerprint:
    """Collects named inputs; each is framed by its length, so that no two lists of inputs hash alike."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def text(self, name: str, *values: str) -> None:
        self._feed("text", name, *values)

    def file(self, name: str, path: Path) -> None:
        """The contents and the executable bit of one file, whose `name` is independent of its place."""
        executable = "x" if os.access(path, os.X_OK) else "-"
        self._feed("file", name, executable, hashlib.sha256(path.read_bytes()).hexdigest())

    def recipe(self, module: Path) -> None:
        """What the Python in `module` does: its statements, without comments, docstrings and layout, so that
        wording costs nobody a new build."""
        self._feed("recipe", module.name, statements(module.read_text(encoding="utf-8")))

    def tree(self, name: str, root: Path, leave_out: Iterable[str] = ()) -> None:
        """Every file and link below `root`, without the entries of `root` itself named in `leave_out`."""
        for path in files_below(root, leave_out):
            inner = f"{name}/{path.relative_to(root)}"
            if path.is_symlink():
                self._feed("link", inner, os.readlink(path))  # noqa: PTH115  Path.readlink would normalise
            else:
                self.file(inner, path)

    def digest(self) -> str:
        """The first 64 bits in hexadecimal: they name things, nobody attacks them."""
        return self._hash.hexdigest()[:LENGTH]

    def _feed(self, *parts: str) -> None:
        for part in parts:
            data = part.encode()
            self._hash.update(b"%d:" % len(data) + data)
        self._hash.update(b"\n")


def statements(source: str) -> str:
    """Python source in one fixed layout, without comments and docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def files_below(root: Path, leave_out: Iterable[str] = ()) -> list[Path]:
    """Files and links below `root` in a fixed order; byte-compiled Python and `leave_out` are not inputs."""
    skipped = set(leave_out)
    found: list[Path] = []
    for parent, folders, files in os.walk(root):
        here = Path(parent)
        names = [name for name in (*folders, *files) if not (here == root and name in skipped)]
        found += [here / name for name in names if name in files or (here / name).is_symlink()]
        folders[:] = [name for name in folders if name in names and name != "__pycache__"]
    return sorted(found)
