"""What the global options say, and the ways a verb speaks: standard output, standard error, --log."""

import posix as os

from hybrid_runtime.command.options import Values, salvage, usage_error
from hybrid_runtime.container.store import Store
from hybrid_runtime.system.durable_file import write_all
from hybrid_runtime.system.failure import failed, one_line
from hybrid_runtime.system.json_text import write
from hybrid_runtime.system.system_paths import SystemPaths, default_root
from hybrid_runtime.system.timestamp import rfc3339_seconds

_LEVELS = ("error", "warning", "info", "debug")


class Messages:
    """To standard error and --log. `level` is the last one that is told, an index of _LEVELS."""

    def __init__(self, log_path: str, log_format: str, level: int) -> None:
        self.log_path = log_path
        self.log_format = log_format
        self.level = level

    def warn(self, message: str) -> None:
        self.report("warning", message)

    def report(self, level: str, message: str) -> None:
        """To standard error and --log. The shims show users the last line of level error, and nothing else."""
        if _LEVELS.index(level) > self.level:
            return
        message = one_line(message)
        complain(message if level == "error" else f"{level}: {message}")
        self.note(level, message)

    def note(self, level: str, message: str) -> None:
        """To --log alone."""
        if not self.log_path:
            return
        time = rfc3339_seconds()
        if self.log_format == "json":
            line = write({"level": level, "msg": message, "time": time})
        else:
            line = f'time="{time}" level={level} msg={write(message)}'
        try:
            # A pipe that nobody reads is not waited for.
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            descriptor = os.open(self.log_path, flags, 0o600)
        except OSError as error:
            self._complain_of_log(error)
            return
        try:
            write_all(descriptor, f"{line}\n".encode())
        except OSError as error:
            self._complain_of_log(error)
        finally:
            os.close(descriptor)

    def _complain_of_log(self, error: OSError) -> None:
        complain(str(failed(f"cannot write --log `{self.log_path}`", error, "name a file in a folder that is there")))


class Context(Messages):
    """One call of the command. `argv` is all of it, for those who hand it on."""

    def __init__(self, options: Values, argv: list[str]) -> None:
        log_format = options.get("log-format", "text")
        level = "debug" if options.has("debug") else options.get("log-level", "warning")
        level = "warning" if level == "warn" else level
        if log_format not in ("text", "json"):
            raise usage_error(f"--log-format `{log_format}` is neither text nor json")
        if level not in _LEVELS:
            raise usage_error(f"--log-level `{level}` is not one of {', '.join(_LEVELS)}")
        super().__init__(options.get("log"), log_format, _LEVELS.index(level))
        self.argv = argv
        self.system = SystemPaths(options.get("sysroot"))
        self.store = Store(self.system, options.get("root") or default_root(self.system))
        self.processor = options.get("processor")
        self.names_processor = options.has("processor")

    def say(self, text: str) -> bool:
        """To standard output. A reader that has left is no failure, since engines close it: False tells of it."""
        return put(1, text)


def salvaged_messages(argv: list[str]) -> Messages:
    """For a command line that was not understood: who called it, a shim, reads the reason in --log alone."""
    found = salvage(argv, ("--log", "--log-format"))
    return Messages(found.get("--log", ""), found.get("--log-format", "text"), _LEVELS.index("error"))


def complain(message: str) -> None:
    """One line to standard error, where there still is one."""
    put(2, f"hybrid-runtime: {one_line(message)}\n")


def put(descriptor: int, text: str) -> bool:
    """Text as it is. False when nobody reads it any more."""
    try:
        # JSON may hold halves of surrogate pairs, which have no bytes.
        write_all(descriptor, text.encode("utf-8", "backslashreplace"))
    except OSError:
        return False
    return True
