"""QEMU's machine protocol for synchronous callers: qemu.qmp's event loop in a thread of its own."""

import asyncio
import concurrent.futures
import contextlib
import re
import socket
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar, cast

from qemu.qmp import EventListener, QMPClient, QMPError

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError

T = TypeVar("T")

END_S = 2.0

_FORWARD = re.compile(r"^ *TCP\[HOST_FORWARD\] +\d+ +127\.0\.0\.1 +(?P<port>\d+) ", re.MULTILINE)


class Qmp:
    """One QMP session over a connected socket, which it owns."""

    def __init__(
        self,
        line: socket.socket,
        deadline: Deadline,
        names: Sequence[str] = (),
        tell: Callable[[Mapping[str, object]], None] | None = None,
    ) -> None:
        """Negotiates, and has `tell` called with each event of these names, on a thread of its own.

        Raises:
            RigError: QEMU does not answer by the deadline.
        """
        self._client = QMPClient("board")
        self._client.logger.disabled = True
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="qmp", daemon=True)
        self._thread.start()
        try:
            self._call(self._begin(line, names, tell), deadline, "greet")
        except BaseException:
            self._end_loop()
            line.close()
            raise

    def execute(self, command: str, deadline: Deadline, **arguments: object) -> object:
        """Runs one command and returns what QEMU answers.

        Raises:
            RigError: QEMU refuses, is gone, or does not answer by the deadline.
        """
        return self._call(self._client.execute(command, arguments), deadline, command)

    def forwarded_port(self, deadline: Deadline) -> int:
        """The host port the kernel chose for the forwarded SSH port."""
        text = self.execute("human-monitor-command", deadline, **{"command-line": "info usernet"})
        return forwarded_port(str(text))

    def processor_threads(self, deadline: Deadline) -> dict[int, str]:
        """The host's thread of each emulated processor, with its model, such as `cortex-r5f-arm-cpu`."""
        threads: dict[int, str] = {}
        for processor in cast(list[dict[str, Any]], self.execute("query-cpus-fast", deadline)):
            model = self.execute("qom-get", deadline, path=processor["qom-path"], property="type")
            threads[int(processor["thread-id"])] = str(model)
        return threads

    def close(self) -> None:
        """Ends the session; a QEMU that is gone already is no error."""
        try:
            self._call(self._client.disconnect(), Deadline(5), "disconnect")
        except RigError:
            pass
        finally:
            self._end_loop()

    def _end_loop(self) -> None:
        """Whatever still waits in the loop is called off first, or Python complains of it at its end."""
        with contextlib.suppress(concurrent.futures.TimeoutError):
            asyncio.run_coroutine_threadsafe(_call_off_everything(), self._loop).result(END_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _begin(
        self, line: socket.socket, names: Sequence[str], tell: Callable[[Mapping[str, object]], None] | None
    ) -> None:
        """Listens before it connects, so that no event is missed."""
        if tell is not None:
            listener = EventListener(names)
            self._client.register_listener(listener)
            self._listening = asyncio.create_task(_tell_each(listener, tell))
        await self._client.connect(line)

    def _call(self, work: Coroutine[Any, Any, T], deadline: Deadline, what: str) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(deadline.remaining())
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise RigError(f"QEMU did not answer `{what}` in {deadline.seconds:g} s") from None
        except (QMPError, OSError, EOFError) as error:
            raise RigError(f"QEMU did not answer `{what}`: {error}") from error


async def _tell_each(listener: EventListener, tell: Callable[[Mapping[str, object]], None]) -> None:
    async for event in listener:
        tell(event)


async def _call_off_everything() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def forwarded_port(usernet: str) -> int:
    """The host port in the text of QEMU's `info usernet`.

    Raises:
        RigError: no port is forwarded.
    """
    found = _FORWARD.search(usernet)
    if found is None:
        raise RigError(f"QEMU forwards no port: `{usernet.strip()}`", "use a QEMU with slirp (user networking)")
    return int(found["port"])
