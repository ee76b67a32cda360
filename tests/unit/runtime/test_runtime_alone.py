"""Tests that fork have a process without threads."""

import os
import threading

import pytest
from alone import threads


@pytest.mark.alone
def test_no_thread_is_beside_one_that_forks() -> None:
    assert threads() == 1
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7


def test_threads_are_counted() -> None:
    before = threads()
    ending = threading.Event()
    thread = threading.Thread(target=ending.wait)
    thread.start()
    assert threads() == before + 1
    ending.set()
    thread.join()
