"""Every error has one form: `message (remedy)`, and the remedy is true for each errno that leads there."""

import ast
import errno
import os
from pathlib import Path

import pytest

import hybrid_runtime
from hybrid_runtime.container import engine_phrases
from hybrid_runtime.container.record import Record
from hybrid_runtime.container.store import Store
from hybrid_runtime.firmware.content import recognized
from hybrid_runtime.firmware.elf import check_elf
from hybrid_runtime.firmware.installation import install
from hybrid_runtime.system.failure import Failure, errno_meaning, failed
from hybrid_runtime.system.system_paths import SystemPaths

PACKAGE = Path(hybrid_runtime.__file__).parent
# Those that make a failure, and at which place each takes message and remedy.
MAKERS = {
    **dict.fromkeys(("Failure", "failed", "BadJSON", "UnreadableRecord", "DamagedJournal", "HookFailed"), (0, 1)),
    **dict.fromkeys(("Unanswered", "Unavailable", "ProcessorGone"), (0, 1)),
    "failed": (0, 2),
    "_bad": (1, 2),
    # These add the remedy.
    "usage_error": (0, None),
    "damaged": (0, None),
}
# Told as a reason within a message that goes on, or without anything that would help.
WITHOUT_REMEDY = (
    # What engines look for stands alone; the kernel's own reasons follow; the sender's remedy is in the text.
    *("NOT_RUNNING", "the kernel refuses to start", "message"),
    # Any errno that nobody has thought of.
    "what",
    # Core dumps.
    *("it is larger than", "the kernel gave no byte", "it was not written in"),
)
REASONS = ("BadJSON", "Unanswered", "Unavailable")
PLACEHOLDER = "…"


def text_of(node: ast.expr) -> str:
    """The literal parts, with a sign for each value; the source of what is no text here."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else PLACEHOLDER for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return ast.unparse(node)


def is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant | ast.JoinedStr)


def makings() -> list[tuple[str, str, ast.expr, ast.expr | None]]:
    """Place, maker, message and remedy of each call that makes a failure."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
                at, remedy_at = MAKERS[node.func.id]
                remedy = node.args[remedy_at] if remedy_at is not None and remedy_at < len(node.args) else None
                found.append((f"{path.relative_to(PACKAGE)}:{node.lineno}", node.func.id, node.args[at], remedy))
    return found


def test_all_are_looked_at() -> None:
    assert len(makings()) > 150


def test_form_of_messages() -> None:
    for place, _, message, _ in makings():
        check_form(place, message)
        text = text_of(message)
        # What to do is not hidden in what is wrong.
        for word in (": see ", "see dmesg", ": use ", ": try ", ": run ", ": call ", "please"):
            assert word not in text, (place, text)
        assert not is_literal(message) or not text.endswith(")"), (place, text)


def test_form_of_remedies() -> None:
    for place, _, _, remedy in makings():
        if remedy is not None:
            check_form(place, remedy)
            assert "please" not in text_of(remedy)


def check_form(place: str, node: ast.expr) -> None:
    text = text_of(node)
    if not is_literal(node):
        return
    assert text, place
    assert "\n" not in text
    # ENTRYPOINT and the like are names, not the beginning of a sentence.
    assert not (text[0].isupper() and text[1:2].islower()), (place, text)
    assert text[-1] not in ".:;,! ", (place, text)
    assert text.count("`") % 2 == 0, (place, text)


def test_a_remedy_is_left_out_on_purpose_only() -> None:
    without = [
        (place, text_of(message))
        for place, maker, message, remedy in makings()
        if maker not in REASONS and MAKERS[maker][1] is not None and remedy is None
        # A maker of its own adds it for _bad, and `failed` knows some.
        and maker != "_bad" and not text_of(message).startswith(WITHOUT_REMEDY)
    ]  # fmt: skip
    assert without == []


@pytest.mark.parametrize("number", sorted(errno.errorcode))
def test_no_errno_says_what_engines_look_for(number: int) -> None:
    said = errno_meaning(OSError(number, os.strerror(number)))
    phrases = (*engine_phrases.EXIT_CODE_PHRASES, "no such process", "does not exist", "process already finished")
    assert not [phrase for phrase in phrases if phrase in said.lower()]
    assert not said[0].isupper() or said[1].isupper()


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def test_remedies_by_errno() -> None:
    assert failed("cannot x", os_error(errno.ENOSPC), "make it writable").remedy == "free space there"
    assert failed("cannot x", os_error(errno.EXDEV), "use another").remedy == "use another"
    assert failed("cannot x", os_error(errno.EROFS), "x", {errno.EROFS: "choose y"}).remedy == "choose y"
    assert str(failed("cannot x", os_error(errno.ENOENT), "name z")) == "cannot x: file not found (name z)"


@pytest.mark.parametrize(
    ("number", "helps", "misleads"),
    [
        (errno.ENOSPC, "free space", "writable"),
        (errno.EROFS, "name another folder", "free space"),
        (errno.EACCES, "call as root", "free space"),
        (errno.EIO, "dmesg", "writable"),
    ],
)
def test_remedies_of_an_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, helps: str, misleads: str
) -> None:
    def refuse(*_: object) -> None:
        raise os_error(number)

    monkeypatch.setattr("hybrid_runtime.firmware.installation._copy", refuse)
    with pytest.raises(Failure) as raised:
        install(0, str(tmp_path / "fw"), lambda _: None)
    assert helps in raised.value.remedy
    assert misleads not in raised.value.remedy


@pytest.mark.parametrize(("number", "helps"), [(errno.ENOSPC, "free space there"), (errno.EACCES, "call as its owner")])
def test_remedies_of_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, helps: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise os_error(number)

    monkeypatch.setattr("hybrid_runtime.container.record.write_durably", refuse)
    with pytest.raises(Failure) as raised:
        Record("motor", "/b", "now").save(str(tmp_path))
    assert raised.value.remedy == f"{helps}, or choose another --root"
    monkeypatch.setattr("posix.mkdir", refuse)
    with pytest.raises(Failure, match=helps):
        Store(SystemPaths(), str(tmp_path)).make_folder("motor")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x1f\x8b\x08\0", "the firmware is not an ELF file, it is a gzip file (unpack it with gunzip)"),
        (b":020000040000FA\r\n", "the firmware is not an ELF file, it is an Intel HEX file (give the ELF"),
        (b"#!/bin/sh\n", "the firmware is not an ELF file, it is a script (the first of process.args must"),
        (b"", "the firmware is not an ELF file, it is an empty file (give the ELF"),
        (b"\x00\x01\x02", "the firmware is not an ELF file (build the firmware again, or set"),
    ],
)
def test_what_is_no_elf(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "fw").write_bytes(content)
    with (tmp_path / "fw").open("rb") as source, pytest.raises(Failure) as raised:
        check_elf(source.fileno())
    assert str(raised.value).startswith(said)


def test_what_is_recognized() -> None:
    assert recognized(b"\x7fELF") == ("", "")
    assert recognized(b":") == ("", "")
