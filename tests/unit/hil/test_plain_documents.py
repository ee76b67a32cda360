"""The documents are in plain sentences: short ones, without semicolons, in lines that fit a terminal."""

import re
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root

ROOT = checkout_root()
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "qemu/*.md", "examples/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
)
# Nine of ten sentences have so many words at most.
MOST_WORDS = 24
MOST_SEMICOLONS = 0.05
COLUMNS = 100
# A sentence of fewer words is a heading or an item of a list.
LEAST_WORDS = 4
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# Indented code, tables, images, and lines that begin with a link.
NO_PROSE = re.compile(r"^(?: {4}|\||!\[|\[).*$", re.MULTILINE)
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n\n|\n- ")


def prose_of(text: str) -> str:
    """Without code blocks, tables and images."""
    return NO_PROSE.sub("", CODE_BLOCK.sub("", text))


def sentences_of(prose: str) -> list[list[str]]:
    """The words of each sentence; what stands in backticks is one word."""
    plain = LINK.sub(r"\1", CODE.sub("X", prose))
    sentences = (sentence.split() for sentence in BETWEEN_SENTENCES.split(plain))
    return [words for words in sentences if len(words) >= LEAST_WORDS]


def complaints(text: str) -> list[str]:
    """What is not plain in a document."""
    prose = prose_of(text)
    lengths = sorted(len(words) for words in sentences_of(prose))
    found = [f"line of {len(line)} columns: {line}" for line in prose.splitlines() if len(line) > COLUMNS]
    if lengths and lengths[int(len(lengths) * 0.9)] > MOST_WORDS:
        long = [" ".join(words) for words in sentences_of(prose) if len(words) > MOST_WORDS]
        found += [f"long sentence: {sentence}" for sentence in long]
    if lengths and (count := CODE.sub("", prose).count(";")) / len(lengths) > MOST_SEMICOLONS:
        found.append(f"{count} semicolons in {len(lengths)} sentences")
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_document_is_plain(document: Path) -> None:
    assert complaints((ROOT / document).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("one two three four\n" * 7, "long sentence: "),
        ("Short words stand here; others there.\n", "1 semicolons in 1 sentences"),
        ("x" * 101 + "\n", "line of 101 columns"),
    ],
)
def test_what_is_not_plain_is_found(text: str, says: str) -> None:
    (found,) = complaints(text)
    assert found.startswith(says)


@pytest.mark.parametrize(
    "text",
    [
        "```\n" + "word " * 60 + ";\n```\n",
        "| " + "word " * 60 + "; |\n",
        "    " + "word " * 60 + ";\n",
        "One sentence of `a; b` stands here.\n",
        "A [link of words](https://example.org/" + "x" * 20 + ") is short.\n",
    ],
    ids=["code block", "table", "indented", "code", "link"],
)
def test_what_is_no_prose_does_not_count(text: str) -> None:
    assert complaints(text) == []
