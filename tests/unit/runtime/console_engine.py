"""An engine as far as it gives a container a terminal."""

import array
import os
import select
import socket
import threading
from pathlib import Path


class Engine:
    """Listens as conmon and the shims do, and keeps the terminal it is sent."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        folder = os.open(path.parent, os.O_PATH)
        self.listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
        self.listener.listen(1)
        self.master = -1
        self.name = b""
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        self.name, ancillary, _, _ = connection.recvmsg(256, socket.CMSG_SPACE(4))
        for _, kind, data in ancillary:
            assert kind == socket.SCM_RIGHTS
            self.master = array.array("i", data)[0]
        connection.close()

    def read_until(self, text: bytes) -> bytes:
        self.thread.join(10)
        said = b""
        while text not in said:
            assert select.select([self.master], [], [], 10)[0], said
            said += os.read(self.master, 4096)
        return said

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        self.listener.close()
        if self.master >= 0:
            self.hang_up()
