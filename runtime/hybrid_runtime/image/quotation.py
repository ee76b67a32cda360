"""Strangers' words in our messages: one line, no control characters, not too long."""

LONGEST_QUOTE = 80


def printable(text: str, longest: int = LONGEST_QUOTE) -> str:
    shown = "".join(character if character.isprintable() else "?" for character in text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def quote(text: object) -> str:
    return f"`{printable(str(text))}`"


def listing(words: list[str], most: int = 16) -> str:
    shown = words[:most] + ([f"and {len(words) - most} more"] if len(words) > most else [])
    return ", ".join(shown)
