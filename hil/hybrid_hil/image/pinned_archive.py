"""An archive of a release, downloaded from its server and held to a digest that this project pins."""

import hashlib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead
from pathlib import Path

from hybrid_hil.failure import RigError
from hybrid_hil.terminal import Step

BLOCK = 1 << 16
SILENCE_S = 60.0


@dataclass(frozen=True)
class PinnedArchive:
    """`digest` is in hex, by `algorithm`, as hashlib calls it. `otherwise` is what to do without it, for remedies."""

    uri: str
    digest: str
    algorithm: str
    otherwise: str

    def fetch(self, folder: Path, step: Step) -> Path:
        """Its file, which has the server's name for it.

        Raises:
            RigError: the server cannot be reached, refuses, stops early, or has something else than what was pinned.
            OSError: the file cannot be written.
        """
        target = folder / self.uri.rpartition("/")[2]
        step.detail("downloading")
        digest = hashlib.new(self.algorithm)
        with target.open("wb") as file:
            for block in self._blocks(step):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != self.digest:
            raise RigError(
                f"`{self.uri}` has the digest `{digest.hexdigest()}`, not `{self.digest}`",
                f"do not use it; try again on another network, or {self.otherwise}",
            )
        return target

    def _blocks(self, step: Step) -> Iterator[bytes]:
        try:
            with urllib.request.urlopen(self.uri, timeout=SILENCE_S) as answer:
                total = int(answer.headers.get("Content-Length") or 0)
                done = 0
                # Of a known length, read() raises IncompleteRead itself only when it is asked for everything.
                while block := answer.read(BLOCK):
                    done += len(block)
                    step.advance(done, max(total, done))
                    yield block
                if done < total:
                    raise IncompleteRead(b"", total - done)
        except (OSError, HTTPException) as error:
            remedy = f"connect this machine, or {self.otherwise}"
            raise RigError(f"cannot download `{self.uri}`: {error}", remedy) from error
