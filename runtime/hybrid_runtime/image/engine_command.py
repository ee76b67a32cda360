"""The commands of engines, run: a bounded time for all of them, and what they say against it."""

import os
import subprocess

from hybrid_runtime.image.temporary import TemporaryFiles
from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.text import printable

# For callers without an environment.
SAFE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What is kept of a program's complaints.
_TAIL_BYTES = 4096
_LONGEST_COMPLAINT = 300


class Unanswered(Failure):
    """The engine is not here or cannot tell."""


class Answer:
    def __init__(self, code: int, stdout: str, stderr: str) -> None:
        self.code = code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def complaint(self) -> str:
        """The last line that says something."""
        lines = [line.strip() for line in self.stderr.splitlines() if line.strip()]
        said = printable(lines[-1], _LONGEST_COMPLAINT) if lines else ""
        return said or (f"killed by signal {-self.code}" if self.code < 0 else f"exit code {self.code}")


class Commands:
    """Runs programs: no shell, a search path that has no relative folders, one deadline for all of them."""

    def __init__(self, temporary: TemporaryFiles, deadline: Deadline, environment: dict[str, str]) -> None:
        self.temporary = temporary
        self.deadline = deadline
        self.seconds = deadline.remaining()
        folders = [folder for folder in environment.get("PATH", "").split(":") if folder.startswith("/")]
        self.path = ":".join(folders) or SAFE_PATH
        # podman's own temporary folders too go with the last one, also when it is killed while it writes.
        self.environment = {**environment, "PATH": self.path, "TMPDIR": temporary.folders[-1]}

    def find(self, program: str) -> str | None:
        for folder in self.path.split(":"):
            path = f"{folder}/{program}"
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
        return None

    def run(self, *argv: str, stdout: int | None = None) -> Answer:
        """Raises Unanswered when the program is not here or does not end in time."""
        path = self.find(argv[0])
        if path is None:
            raise Unanswered(f"`{argv[0]}` is not installed", f"it is looked for in {self.path}")
        output = self.temporary.new_file() if stdout is None else stdout
        errors = self.temporary.new_file()
        try:
            code = self._wait(path, argv, output, errors)
            said = "" if stdout is not None else _text(output, 0)
            return Answer(code, said, _text(errors, max(0, os.fstat(errors).st_size - _TAIL_BYTES)))
        finally:
            os.close(errors)
            if stdout is None:
                os.close(output)

    def save(self, *argv: str) -> int:
        """A descriptor of what the program writes to standard output. Raises Failure when it fails."""
        target = self.temporary.new_file()
        require_success(self.run(*argv, stdout=target), argv[0])
        return target

    def _wait(self, path: str, argv: tuple[str, ...], output: int, errors: int) -> int:
        try:
            return subprocess.run(
                argv,
                executable=path,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=self.environment,
                timeout=self.deadline.remaining(),
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            raise Unanswered(
                f"`{argv[0]}` has not answered within {self.seconds:g} s", f"see whether `{' '.join(argv)}` works"
            ) from None


def _text(descriptor: int, start: int) -> str:
    return os.pread(descriptor, 1 << 20, start).decode("utf-8", "replace")


def require_success(answer: Answer, program: str) -> None:
    """Raises Failure when it has not given the image."""
    if answer.code:
        raise Failure(f"{program} gives no image: {answer.complaint}", f"see whether {program} itself can save it")
