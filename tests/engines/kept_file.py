"""A file that a test changes and that the image may have or not: afterwards it is as before."""

from collections.abc import Iterator
from contextlib import contextmanager

from hybrid_hil.shell import Shell


@contextmanager
def kept_file(shell: Shell, path: str) -> Iterator[None]:
    """Its content comes back, or its absence."""
    there = shell.run(["test", "-e", path], check=False).exit_status == 0
    before = shell.get(path) if there else None
    try:
        yield
    finally:
        if before is None:
            shell.run(["rm", "-f", path])
        else:
            shell.put(before, path)
