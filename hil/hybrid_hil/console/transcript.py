"""pexpect's matching on a console's record."""

import codecs
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pexpect.exceptions import EOF, TIMEOUT
from pexpect.spawnbase import SpawnBase

from hybrid_hil.console.record import Record

LOOK_AGAIN_S = 0.1

if TYPE_CHECKING:
    TextSpawn = SpawnBase[str]
else:
    TextSpawn = SpawnBase  # generic in its stubs only


class Transcript(TextSpawn):
    """A pexpect session that reads a record from a position on.

    Each expectation reads the record itself, so nobody has to read for the console to be drained, and one
    expectation takes nothing away from another. Only whole lines are seen (unless `partial`): `nonce=(\\w+)`
    cannot match the half of a nonce that has arrived.
    """

    def __init__(self, record: Record, since: int, *, partial: bool, dead: Callable[[], str | None]) -> None:
        super().__init__(maxread=65536, encoding="utf-8", codec_errors="replace")
        self.delayafterread = None
        self._text = codecs.getincrementaldecoder("utf-8")("replace")
        self._record = record
        self._position = since
        self._partial = partial
        self._dead = dead

    def read_nonblocking(self, size: int = 1, timeout: float | None = None) -> str:
        """Up to `size` bytes of the record, decoded.

        Raises:
            TIMEOUT: nothing came in `timeout` seconds.
            EOF: the board is dead and everything it said has been read.
        """
        end = time.monotonic() + (timeout if timeout is not None else float("inf"))
        while True:
            seen = self._record.position
            cause = self._dead()
            data = self._record.read(self._position, whole_lines=not self._partial and cause is None)[:size]
            if data:
                self._position += len(data)
                return self._text.decode(data)
            if cause is not None:
                raise EOF(cause)
            left = end - time.monotonic()
            if left <= 0:
                raise TIMEOUT("nothing more on the console")
            self._record.wait(seen, min(LOOK_AGAIN_S, left))
