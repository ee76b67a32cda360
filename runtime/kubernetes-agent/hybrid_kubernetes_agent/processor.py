"""The processors of this node, as `hybrid-runtime processors -f json` tells of them."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

# An interpreter starts on a small device, and reads sysfs.
ANSWER_S = 20.0


class ProcessorsUnknownError(Exception):
    """The runtime does not tell of the processors. Nothing is known of them, which does not mean that none is there."""


@dataclass(frozen=True)
class Pod:
    """Whose the container is that holds a processor."""

    namespace: str
    name: str
    container: str


@dataclass(frozen=True)
class Processor:
    """`obstacle` says why no container can have it, and is empty for one that is free or that a container holds.
    `holder` is the id of the container that holds it, empty when there is none. `starts` and `crashes` count from the
    boot of the node."""

    device: str
    name: str
    kind: str
    state: str
    obstacle: str = ""
    holder: str = ""
    driver: str = ""
    board: str = ""
    soc: str = ""
    pod: Pod | None = None
    starts: int = 0
    crashes: int = 0


def read_processors(command: Sequence[str]) -> list[Processor]:
    """`command` is how the runtime is called.

    Raises:
        ProcessorsUnknownError: it cannot be called, fails, takes too long, or says what nobody understands.
    """
    words = [*command, "processors", "--format", "json"]
    try:
        told = subprocess.run(words, capture_output=True, timeout=ANSWER_S, check=True, stdin=subprocess.DEVNULL).stdout
        return [_processor(entry) for entry in json.loads(told)]
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise ProcessorsUnknownError(f"`{words[0]}` ended with {error.returncode}: {said}") from error
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProcessorsUnknownError(f"`{words[0]}` gives no processors: {error}") from error


def _processor(entry: dict[str, object]) -> Processor:
    def text(key: str) -> str:
        return str(entry[key] or "")

    pod = entry["pod"]
    return Processor(
        device=text("device"),
        name=text("name"),
        kind=text("kind"),
        state=text("state"),
        obstacle=text("obstacle"),
        holder=text("container"),
        driver=text("driver"),
        board=text("board"),
        soc=text("soc"),
        pod=Pod(pod["namespace"], pod["pod"], pod["container"]) if isinstance(pod, dict) else None,
        starts=int(str(entry["starts"])),
        crashes=int(str(entry["crashes"])),
    )
