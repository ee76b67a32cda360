"""Strangers' words in what we say: one line, nothing that a terminal acts on, and not too long.

Images, engines, hooks, drivers and firmware choose these words. Lengths are in characters.
"""

# A value in backticks.
LONGEST_VALUE = 256
LONGEST_LINE = 4096


def visible(text: str, kept: str = "") -> str:
    """Whatever has no shape of its own as its escape, such as `\\x1b`. `kept` are characters to let through."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in kept else _escape(character) for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    # A byte that is no UTF-8, as file names have them (PEP 383).
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else ascii(character)[1:-1]


def printable(text: str, longest: int = LONGEST_LINE) -> str:
    """Visible, and cut when it is longer."""
    shown = visible(text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def quote(value: object) -> str:
    return f"`{printable(str(value), LONGEST_VALUE)}`"


def listing(words: list[str], most: int = 16) -> str:
    shown = words[:most] + ([f"and {len(words) - most} more"] if len(words) > most else [])
    return ", ".join(shown)


def message_line(text: str, longest: int = LONGEST_LINE) -> str:
    """A whole message. Each value in backticks has its own bound, so that none pushes the rest out of the line."""
    if len(text) > 4 * longest:
        # One value alone can be as large as config.json; the ends have what we say of it.
        text = f"{text[: 2 * longest]}…{text[-2 * longest :]}"
    pieces = text.split("`")
    pieces[1::2] = [printable(value, LONGEST_VALUE) for value in pieces[1::2]]
    return printable("`".join(pieces), longest)


def as_word(path: str) -> str:
    """One word of a command for the shell, to be pasted."""
    plain = path.replace("/", "").replace("-", "").replace("_", "").replace(".", "").replace("+", "")
    if plain.isascii() and plain.isalnum():
        return path
    quoted = path.replace("'", "'\\''")
    return f"'{quoted}'"
