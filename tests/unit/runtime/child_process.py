"""Something done in a process of its own, since it changes that process for good."""

import os
from collections.abc import Callable


def in_child(act: Callable[[], object]) -> str:
    """For tests that run `alone`. What `act` gives, as text; an exception as the interpreter writes it."""
    said, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            text = f"{act()}"
        except BaseException as error:  # noqa: BLE001  for the test that waits
            text = f"{error!r}"
        os.write(told, text.encode())
        os._exit(0)
    os.close(told)
    with os.fdopen(said) as source:
        text = source.read()
    os.waitpid(pid, 0)
    return text
