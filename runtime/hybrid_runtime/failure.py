"""The one exception that ends a verb with a message instead of a traceback."""

import errno

from hybrid_runtime.path import as_named

# The C library's words for these are among those that engines take for an exit code (engine_phrases).
_OWN_WORDS = {errno.ENOENT: "file not found", errno.EACCES: "access is denied"}

# In characters; both together, and what is put before them, stay below the longest line (quotation).
_LONGEST_MESSAGE = 2900
_LONGEST_REMEDY = 1024


class Failure(Exception):
    """Something the user can understand and mend: what is wrong, then what to do.

    `code` is the exit code of the verb.
    """

    def __init__(self, message: str, remedy: str = "", code: int = 1) -> None:
        super().__init__(message)
        self.message = as_named(message)
        self.remedy = as_named(remedy)
        self.code = code

    def __str__(self) -> str:
        """One line, whatever strangers have put into it; never so long that it pushes the remedy out."""
        from hybrid_runtime.quotation import message_line

        message = message_line(self.message, _LONGEST_MESSAGE)
        return f"{message} ({message_line(self.remedy, _LONGEST_REMEDY)})" if self.remedy else message


def errno_meaning(error: OSError) -> str:
    """The C library's words for the errno, lower case first letter, where engines do not read too much into them."""
    text = _OWN_WORDS.get(error.errno or 0) or error.strerror or "unknown error"
    return text[0].lower() + text[1:]


def reason(error: Failure | OSError) -> str:
    """What went wrong, for a text that goes on elsewhere."""
    return str(error) if isinstance(error, Failure) else errno_meaning(error)
