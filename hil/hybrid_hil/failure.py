"""What goes wrong on the host, said with its remedy."""


class RigError(Exception):
    """A failure a person can act on: `message` says what happened, `remedy` what to do next.

    Texts are lower case without a full stop. `exit_code` is what `hil` ends with.
    """

    def __init__(self, message: str, remedy: str = "", *, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


def told(error: Exception) -> str:
    """The reason in an error's words, without its number."""
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__
