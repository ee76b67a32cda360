"""The one exception that ends a verb with a message instead of a traceback."""

import errno

from hybrid_runtime.system.path import as_named

# The C library's words for these are among those from which engines conclude something (container/engine_phrases.py).
_OWN_WORDS = {
    errno.ENOENT: "file not found",
    errno.EACCES: "access is denied",
    errno.EPERM: "it is not permitted",
    errno.ENOTDIR: "a part of the path is no folder",
    errno.EISDIR: "it is a folder",
    errno.ESRCH: "the process is gone",
    errno.ELOOP: "too many symbolic links",
}
# What helps wherever these come from.
_REMEDIES = {
    errno.EACCES: "call as root, or as the owner",
    errno.EPERM: "call as root",
    errno.ENOSPC: "free space there",
    errno.EDQUOT: "free space there, or raise the quota",
    errno.EROFS: "name a place that can be written, or mount that one writable",
    errno.EMFILE: "raise the limit of open files",
    errno.ENFILE: "raise the limit of open files of the machine",
    errno.ENOMEM: "free memory",
    errno.EIO: "see dmesg: a device or its file system fails",
}

# In characters. Message and remedy together, and what is put before them, stay below the longest line.
_LONGEST_LINE = 4096
# No value in it can be longer than one may be.
_SHORT = 256
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
        message = one_line(self.message, _LONGEST_MESSAGE)
        return f"{message} ({one_line(self.remedy, _LONGEST_REMEDY)})" if self.remedy else message


def one_line(text: str, longest: int = _LONGEST_LINE) -> str:
    """A message without anything that a terminal acts on, and bounded: see text.py, which few messages need."""
    if len(text) <= _SHORT and text.isprintable():
        return text
    from hybrid_runtime.system.text import message_line

    return message_line(text, longest)


def failed(what: str, error: OSError, remedy: str = "", special: dict[int, str] | None = None) -> Failure:
    """What could not be done. An errno that says what helps has its own remedy, `special` before the general one;
    `remedy` is for all others."""
    number = error.errno or 0
    return Failure(f"{what}: {errno_meaning(error)}", (special or {}).get(number) or _REMEDIES.get(number) or remedy)


def errno_meaning(error: OSError) -> str:
    """The C library's words for the errno, lower case first letter, where engines do not read too much into them."""
    text = _OWN_WORDS.get(error.errno or 0) or error.strerror or "unknown error"
    return text[0].lower() + text[1:]


def reason(error: Failure | OSError) -> str:
    """What went wrong, for a text that goes on elsewhere."""
    return str(error) if isinstance(error, Failure) else errno_meaning(error)
