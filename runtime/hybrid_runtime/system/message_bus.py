"""One call over the system's message bus (D-Bus Specification, Message Protocol), as far as this runtime needs it."""

from hybrid_runtime.system.deadline import Deadline
from hybrid_runtime.system.path import encoded
from hybrid_runtime.system.system_calls import stream_socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hybrid_runtime.system.system_calls import Socket

SOCKET = "/run/dbus/system_bus_socket"
_CALL, _RETURN, _ERROR = 1, 2, 3
# Header fields, and the types of their values.
_PATH, _INTERFACE, _MEMBER, _REPLY_SERIAL, _DESTINATION, _SIGNATURE = 1, 2, 3, 5, 6, 8
_FIELD_TYPES = {_PATH: "o", _INTERFACE: "s", _MEMBER: "s", _DESTINATION: "s", _SIGNATURE: "g"}
_BUS = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
_HEADER_BYTES = 16
# An answer to a call of ours holds a path or a sentence.
_LARGEST_ANSWER = 1 << 16
_LONGEST_LINE = 512


class BusError(Exception):
    """What the other side has against the call, in its own words, and the name it gives to that."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message or name)
        self.name = name


class Marshaller:
    """Values one after the other, each aligned as the specification says, in little-endian order."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, boundary: int) -> "Marshaller":
        self.data += bytes(-len(self.data) % boundary)
        return self

    def number(self, value: int) -> "Marshaller":
        """A u or a b."""
        self.align(4).data += value.to_bytes(4, "little")
        return self

    def text(self, value: str) -> "Marshaller":
        """An s or an o."""
        content = encoded(value)
        self.number(len(content)).data += content + b"\0"
        return self

    def signature(self, value: str) -> "Marshaller":
        self.data += bytes([len(value)]) + value.encode("ascii") + b"\0"
        return self

    def variant(self, kind: str, value: "str | int | list[int]") -> "Marshaller":
        """Of the types that a value here may have: s, o, g, u, b and au."""
        self.signature(kind)
        if isinstance(value, list):
            self.number(4 * len(value))
            for number in value:
                self.number(number)
        elif isinstance(value, int):
            self.number(value)
        elif kind == "g":
            self.signature(value)
        else:
            self.text(value)
        return self

    def array(self, content: "Marshaller") -> "Marshaller":
        """Of structures, which begin at a multiple of 8. So does `content`."""
        self.number(len(content.data)).align(8).data += content.data
        return self


class MessageBus:
    """A connection that has said who it is. `deadline` is that of everything on it. Raises OSError and BusError."""

    def __init__(self, path: str, user: int, deadline: Deadline) -> None:
        self.deadline = deadline
        self.serial = 0
        self.socket: Socket = stream_socket()
        try:
            self._limit()
            self.socket.connect(path)
            self._authenticate(user)
            self.call(_BUS, "Hello", "", Marshaller())
        except BaseException:
            self.socket.close()
            raise

    def close(self) -> None:
        self.socket.close()

    def call(self, callee: "tuple[str, str, str]", member: str, signature: str, body: Marshaller) -> None:
        """`callee` is a name on the bus, an object's path and an interface. What comes back is not kept."""
        self.serial += 1
        destination, path, interface = callee
        fields = {_PATH: path, _INTERFACE: interface, _MEMBER: member, _DESTINATION: destination}
        if signature:
            fields[_SIGNATURE] = signature
        self._limit()
        self.socket.sendall(_message(self.serial, fields, bytes(body.data)))
        while not self._is_answer():
            continue

    def _authenticate(self, user: int) -> None:
        """SASL, mechanism EXTERNAL: the socket tells the user."""
        self.socket.sendall(b"\0AUTH EXTERNAL " + str(user).encode().hex().encode() + b"\r\n")
        line = b""
        while not line.endswith(b"\r\n"):
            if len(line) > _LONGEST_LINE:
                raise BusError("", "the bus answers at length")
            line += self._receive(1)
        if not line.startswith(b"OK "):
            raise BusError("", f"the bus refuses user {user}")
        self.socket.sendall(b"BEGIN\r\n")

    def _is_answer(self) -> bool:
        """Takes one message. Signals and answers to others' calls are passed over. Raises BusError for a refusal."""
        header = self._receive(_HEADER_BYTES)
        order = "little" if header[:1] == b"l" else "big"
        body_bytes, fields_bytes = (int.from_bytes(header[at : at + 4], order) for at in (4, 12))  # type: ignore[arg-type]
        padded = fields_bytes + -fields_bytes % 8
        if padded + body_bytes > _LARGEST_ANSWER:
            raise BusError("", "the bus answers at length")
        fields = _fields(self._receive(padded)[:fields_bytes], order)
        body = self._receive(body_bytes)
        if header[1] not in (_RETURN, _ERROR) or fields.get(_REPLY_SERIAL) != self.serial:
            return False
        if header[1] == _ERROR:
            raise BusError(str(fields.get(4, "")), _first_text(body, order))
        return True

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            self._limit()
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise BusError("", "the bus has hung up")
            data += piece
        return data

    def _limit(self) -> None:
        remaining = self.deadline.remaining()
        if not remaining:
            raise TimeoutError
        self.socket.settimeout(remaining)


def _message(serial: int, fields: "dict[int, str]", body: bytes) -> bytes:
    message = Marshaller()
    message.data += bytes([ord("l"), _CALL, 0, 1])
    message.number(len(body)).number(serial)
    structures = Marshaller()
    for code, value in fields.items():
        structures.align(8).data.append(code)
        structures.variant(_FIELD_TYPES[code], value)
    message.array(structures).align(8).data += body
    return bytes(message.data)


def _fields(data: bytes, order: str) -> "dict[int, object]":
    """Those whose values are a number or a text. All that a header may have is one of these."""
    found: dict[int, object] = {}
    at = 0
    while at + 4 <= len(data):
        code, kind = data[at], data[at + 2 : at + 3]
        at += 4
        if kind == b"u":
            found[code] = int.from_bytes(data[at : at + 4], order)  # type: ignore[arg-type]
            at += 4
        elif kind == b"g":
            at += data[at] + 2 if at < len(data) else 1
        else:
            found[code] = _first_text(data[at:], order)
            at += 5 + int.from_bytes(data[at : at + 4], order)  # type: ignore[arg-type]
        at += -at % 8
    return found


def _first_text(body: bytes, order: str) -> str:
    size = int.from_bytes(body[:4], order)  # type: ignore[arg-type]
    return body[4 : 4 + size].decode("utf-8", "replace")
