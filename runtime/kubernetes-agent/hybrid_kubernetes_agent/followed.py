"""A value that streams follow: sent at each change, until the end."""

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Followed(Generic[Value]):
    """Set by one thread, followed by streams of others."""

    def __init__(self, value: Value) -> None:
        self._changed = threading.Condition()
        self._value = value
        self._version = 0
        self._is_open = False

    @property
    def value(self) -> Value:
        with self._changed:
            return self._value

    def set(self, value: Value) -> None:
        with self._changed:
            if value != self._value:
                self._value = value
                self._version += 1
                self._changed.notify_all()

    def open(self) -> None:
        with self._changed:
            self._is_open = True

    def close(self) -> None:
        """Ends whoever follows."""
        with self._changed:
            self._is_open = False
            self._changed.notify_all()

    def follow(self, is_active: Callable[[], bool], look_s: float, *, repeats: bool = False) -> Iterator[Value]:
        """The value, and again at every change; with `repeats` also after `look_s` without one. `is_active` is asked as
        often."""
        sent = -1
        while is_active():
            with self._changed:
                self._changed.wait_for(lambda: self._version != sent or not self._is_open, look_s)  # noqa: B023
                version, value, is_open = self._version, self._value, self._is_open
            if not is_open:
                return
            if version != sent or repeats:
                sent = version
                yield value
