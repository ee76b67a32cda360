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
class Processor:
    """`obstacle` says why no container can have it, and is empty for one that is free or that a container holds.
    `container` is the id of the holder, empty when there is none."""

    device: str
    name: str
    kind: str
    state: str
    obstacle: str = ""
    container: str = ""


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

    return Processor(text("device"), text("name"), text("kind"), text("state"), text("obstacle"), text("container"))
