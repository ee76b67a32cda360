"""What is kept of a test that failed: one folder, readable without the board."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_hil.board import Board
from hybrid_hil.console.record import Line, printable
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.look import CLAIMS, CONTAINERS
from hybrid_hil.failure import RigError
from hybrid_hil.report.loss import loss
from hybrid_hil.shell import Shell


def _each(*patterns: str) -> str:
    """Shell text that prints files, each under its name."""
    return f'for f in {" ".join(patterns)}; do [ -f "$f" ] && echo "== $f" && cat "$f" && echo; done'


_PROCESSORS = "/sys/class/remoteproc/*"

# what is asked of the board, by the file the answer goes to
QUESTIONS = {
    "dmesg.txt": "dmesg",
    "runtime-state.txt": _each(f"{CONTAINERS}/*/*", f"{CLAIMS}/*"),
    "files.txt": f"ls -lR {CONTAINERS} {CLAIMS} /lib/firmware",
    "processes.txt": "ps -o pid,ppid,stat,args",
    "processors.txt": _each(*(f"{_PROCESSORS}/{name}" for name in ("name", "state", "firmware", "recovery"))),
    "traces.txt": _each("/sys/kernel/debug/remoteproc/*/trace*"),
}


def folder_name(test: str) -> str:
    """A test's id as a file name."""
    return re.sub(r"[^A-Za-z0-9._=+-]+", "_", test).strip("_")[-180:]


@dataclass(frozen=True)
class Evidence:
    """Where it is kept, and in one line why not all of it is; the line is empty when it is whole."""

    folder: Path
    lost: str = ""


def collect(board: Board, folder: Path, report: str, console_mark: int, core_mark: int) -> Evidence:
    """Writes what is known about a failure into `folder`; a board that does not answer is said to. What cannot be
    written is left out."""
    lost = ""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in _known(board, report, console_mark, core_mark):
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        lost = loss(f"the evidence in `{folder}` is not whole", error)
    return Evidence(folder, lost)


def _known(board: Board, report: str, console_mark: int, core_mark: int) -> Iterator[tuple[str, str]]:
    """Files and their content, what needs no board first."""
    yield "failure.txt", report
    yield "console.txt", stamped(board.console.lines(console_mark))
    yield "core-console.txt", stamped(board.core_console.lines(core_mark))
    deadline = Deadline(20)
    for name, question in QUESTIONS.items():
        yield name, _answer(board.shell, question, deadline)


def stamped(lines: list[Line]) -> str:
    """Console lines with their arrival, in seconds since the first of them."""
    return "".join(f"{line.monotonic - lines[0].monotonic:10.3f} {printable(line.text)}\n" for line in lines)


def _answer(shell: Shell, question: str, deadline: Deadline) -> str:
    try:
        return shell.run(f"({question}) 2>&1", deadline=deadline, check=False).stdout
    except RigError as error:
        return f"the board did not answer: {error}\n"
