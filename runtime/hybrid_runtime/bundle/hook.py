"""Lifecycle hooks as config.json words them (OCI runtime spec, config.md, POSIX-platform Hooks)."""

from hybrid_runtime.system.failure import Failure

# Its program would come out of the image, and run as root with the machine in reach: chroot(2) holds no root.
IMAGE_KIND = "startContainer"
KINDS = ("prestart", "createRuntime", "createContainer", IMAGE_KIND, "poststart", "poststop")
RUN_KINDS = tuple(kind for kind in KINDS if kind != IMAGE_KIND)
# poll(2) takes milliseconds in an int.
_LONGEST_TIMEOUT_SECONDS = 1e6


class Hook:
    """`timeout` in seconds, 0 for none. `path` is absolute, as the spec demands."""

    def __init__(self, path: str, args: list[str], environment: dict[str, str], timeout: float) -> None:
        self.path = path
        self.args = args
        self.environment = environment
        self.timeout = timeout


def parse_hooks(hooks: object) -> dict[str, list[Hook]]:
    """By kind, only kinds that have any. Raises ValueError saying what is wrong."""
    if not isinstance(hooks, dict):
        raise ValueError("hooks is not an object")
    unknown = sorted(kind for kind in hooks if kind not in KINDS)
    if unknown:
        raise ValueError(f"hooks has `{unknown[0]}`, known are {', '.join(KINDS)}")
    found = {}
    for kind in KINDS:
        entries = hooks.get(kind) or []
        if not isinstance(entries, list):
            raise ValueError(f"hooks.{kind} is not a list")
        if entries:
            found[kind] = [_parse_hook(kind, entry) for entry in entries]
    return found


def refuse_image_hooks(hooks: dict[str, list[Hook]]) -> None:
    """Raises Failure. A firmware image has nothing that Linux could execute, so such a hook means something else."""
    if IMAGE_KIND in hooks:
        raise Failure(
            f"hooks.{IMAGE_KIND} would run the program `{hooks[IMAGE_KIND][0].path}` of the firmware image as root",
            "use createContainer or createRuntime, whose programs are the machine's own",
        )


def _parse_hook(kind: str, entry: object) -> Hook:
    if not isinstance(entry, dict):
        raise ValueError(f"hooks.{kind} has an entry that is not an object")
    path, timeout = entry.get("path"), entry.get("timeout")
    if not isinstance(path, str) or not path.startswith("/"):
        raise ValueError(f"hooks.{kind} has an entry whose path is not absolute")
    if timeout is not None and (type(timeout) is not int or timeout <= 0):
        raise ValueError(f"hooks.{kind} has an entry whose timeout is not a number of seconds above 0")
    args = _strings(kind, "args", entry.get("args"))
    environment = [text.partition("=") for text in _strings(kind, "env", entry.get("env"))]
    if not all(key and equals for key, equals, _ in environment):
        raise ValueError(f"hooks.{kind} has an entry whose env is not a list of KEY=VALUE")
    pairs = {key: value for key, _, value in environment}
    return Hook(path, args or [path], pairs, min(timeout or 0, _LONGEST_TIMEOUT_SECONDS))


def _strings(kind: str, field: str, value: object) -> list[str]:
    texts = value or []
    if not isinstance(texts, list) or any(not isinstance(text, str) or "\0" in text for text in texts):
        raise ValueError(f"hooks.{kind} has an entry whose {field} is not a list of strings")
    return texts
