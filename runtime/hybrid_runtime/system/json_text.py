"""JSON text. The public json module costs more than a whole verb may (it loads re and enum), so the C parts
behind it are used directly where the interpreter has them, and the public module where it has not."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

WHITESPACE = " \t\n\r"
# A value of three bytes becomes a hundred in memory. Engines write about 1500 into a config.json.
MOST_VALUES = 1 << 15


class BadJSON(ValueError):
    """The text is not JSON, or is nested or sized beyond what the parser takes."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class _Reading:
    """What the C scanner asks of its context: the settings of a json.JSONDecoder."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> float:
        raise BadJSON(f"`{name}` is not JSON")


def _fast_parser() -> "Callable[[str], object] | None":
    try:
        from _json import make_scanner
    except ImportError:
        return None
    scan = make_scanner(_Reading)  # type: ignore[arg-type]

    def parse(text: str) -> object:
        start = len(text) - len(text.lstrip(WHITESPACE))
        try:
            value, end = scan(text, start)
        except StopIteration:
            raise BadJSON("no JSON value") from None
        except SystemError:
            # The scanner reports bad text through json.decoder, and breaks where that is not loaded.
            return _public_parser()(text)
        if text[end:].strip(WHITESPACE):
            raise BadJSON(f"text after the JSON value, at character {end}")
        return value

    return parse


def _public_parser() -> "Callable[[str], object]":
    import json

    def parse(text: str) -> object:
        return json.loads(text, parse_constant=_Reading.parse_constant)

    return parse


def _fast_writer() -> "Callable[[object], str] | None":
    try:
        from _json import encode_basestring_ascii, make_encoder
    except ImportError:
        return None

    def refuse(value: object) -> object:
        raise TypeError(f"{type(value).__name__} has no JSON form")

    encode = make_encoder({}, refuse, encode_basestring_ascii, None, ": ", ", ", False, False, False)
    return lambda value: "".join(encode(value, 0))


def _public_writer() -> "Callable[[object], str]":
    import json

    return json.dumps


# RFC 8259, section 8.1: JSON has none, and is UTF-8.
_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "save it without"),
    (b"\xff\xfe", "save it as UTF-8"),
    (b"\xfe\xff", "save it as UTF-8"),
)

_parse = _fast_parser() or _public_parser()
_write = _fast_writer() or _public_writer()


def read(text: str) -> object:
    """Raises BadJSON for anything that is not exactly one JSON value."""
    try:
        return _parse(text)
    except BadJSON:
        raise
    except RecursionError:
        raise BadJSON("nested too deeply") from None
    except ValueError as error:
        raise BadJSON(str(error)) from None


def read_bytes(data: bytes) -> object:
    """Raises BadJSON unless the bytes are UTF-8 text of one JSON value that is made of a bounded number of others."""
    for mark, remedy in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise BadJSON("it begins with a byte order mark", remedy)
    if not data.strip():
        raise BadJSON("it is empty", "write it again")
    if values_at_most(data) > MOST_VALUES:
        raise BadJSON(f"more than {MOST_VALUES} values")
    try:
        return read(data.decode())
    except UnicodeDecodeError as error:
        raise BadJSON(f"not UTF-8 at byte {error.start}") from None


def values_at_most(data: bytes) -> int:
    """Members of objects, elements of lists, and objects and lists themselves, by the character before each. Those
    inside of strings are counted as well."""
    return 1 + data.count(b",") + data.count(b"[") + data.count(b"{")


def read_object(data: bytes) -> dict[str, object]:
    """Raises BadJSON as read_bytes does, and for anything but an object."""
    value = read_bytes(data)
    if not isinstance(value, dict):
        raise BadJSON("not a JSON object")
    return value


def write(value: object) -> str:
    """One line of ASCII."""
    return _write(value)


def write_for_person(value: object) -> str:
    """Indented text; loads the public json module, so only for a terminal."""
    import json

    return json.dumps(value, indent=2)
