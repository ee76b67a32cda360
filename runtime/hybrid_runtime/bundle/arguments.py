"""The command of a container, which is the path of its firmware: what stands there instead, and how to mend it.

Loaded only for a command that is none, whether it comes from a bundle or from the configuration of an image.
"""

from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import write

# What engines put in front for --init, and what images bring for the same.
_INITS = ("podman-init", "docker-init", "catatonit", "tini", "dumb-init")
_SHELLS = ("sh", "bash", "ash", "dash", "busybox")
_LONGEST_QUOTE = 160
_PATH_IS_MEANT = 'name the firmware alone, as in CMD ["/firmware.elf"]'


def no_firmware(subject: str, arguments: object) -> Failure:
    """`subject` says whose they are, with its verb."""
    words = _strings(arguments)
    found = "no list of strings" if words is None else f"`{quoted(words)}`"
    return Failure(f"{subject} {found}, not exactly one path of a firmware", "; ".join(remedies(words or [])))


def _strings(arguments: object) -> list[str] | None:
    if isinstance(arguments, list) and all(isinstance(word, str) for word in arguments):
        return arguments
    return None


def quoted(words: list[str]) -> str:
    """As JSON has them, so that empty ones and control characters are seen; not longer than a message may be."""
    text = write([word[:_LONGEST_QUOTE] for word in words[:_LONGEST_QUOTE]]).replace("\x7f", "\\u007f")
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"


def remedies(words: list[str]) -> list[str]:
    """Of each thing that is too much: an init process, an empty entrypoint, a shell."""
    found = []
    if words and _name(words[0]) in _INITS:
        found.append("leave `--init` or `init: true` away, since a core has no child processes")
        words = words[words.index("--") + 1 :] if "--" in words else words[1:]
    if words and not words[0]:
        found.append('write ENTRYPOINT [], since [""] is a word without characters')
        words = [word for word in words if word]
    if words and _name(words[0]) in _SHELLS:
        return [*found, f"{_PATH_IS_MEANT}, with the brackets: without them a builder puts a shell in front"]
    if len(words) > 1:
        return [*found, f"{_PATH_IS_MEANT}: a core takes no arguments, and ENTRYPOINT and CMD are added up"]
    return found if found and words else [*found, _PATH_IS_MEANT]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
