"""What a command wrote is all there, however its end and our reading of it meet."""

from hybrid_hil.shell.remote_command import RemoteCommand


class LateChannel:
    """A double of a channel that times out once, and is closed when that is noticed; its last words are there."""

    closed = True

    def __init__(self) -> None:
        self._answers = [b"last words", b""]
        self._asked = False

    def recv_stderr(self, _: int) -> bytes:
        if not self._asked:
            self._asked = True
            raise TimeoutError
        return self._answers.pop(0)


def test_last_words_are_read_after_the_channel_was_closed() -> None:
    run = RemoteCommand.__new__(RemoteCommand)
    run._channel = LateChannel()  # type: ignore[assignment]
    run._stderr = bytearray()
    run._read_stderr()
    assert run._stderr == b"last words"
