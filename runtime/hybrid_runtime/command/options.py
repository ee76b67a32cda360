"""Taking a command line apart, after the table that also makes the help."""

from hybrid_runtime.system.failure import Failure

USAGE_CODE = 2


class Option:
    """`names` as in the help: "-f, --force". Without `value` it is a switch. `ignored`: taken so that a runc or
    crun command line works."""

    def __init__(self, names: str, value: str = "", about: str = "", *, ignored: bool = False) -> None:
        self.names = names.split(", ")
        self.value = value
        self.about = about
        self.ignored = ignored

    @property
    def key(self) -> str:
        return self.names[-1].lstrip("-")


class Values:
    """What was given: the last value of each option, all of the repeated ones, and the arguments."""

    def __init__(self) -> None:
        self.options: dict[str, list[str]] = {}
        self.arguments: list[str] = []

    def get(self, key: str, default: str = "") -> str:
        return self.options[key][-1] if key in self.options else default

    def all(self, key: str) -> list[str]:
        return self.options.get(key, [])

    def has(self, key: str) -> bool:
        return key in self.options


def usage_error(message: str, verb: str = "") -> Failure:
    command = f"hybrid-runtime {verb} --help" if verb else "hybrid-runtime --help"
    return Failure(message, f"`{command}` shows what is understood", USAGE_CODE)


def parse(
    argv: list[str], options: list[Option], *, stop_at_argument: bool, verb: str = ""
) -> tuple[Values, list[str]]:
    """Values, and what follows the first argument when told to stop there, or `--`. Raises Failure with code 2."""
    by_name = {name: option for option in options for name in option.names}
    values = Values()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if word == "--" and stop_at_argument:
            return values, rest
        if word == "--":
            values.arguments += rest
            return values, []
        if not word.startswith("-") or word == "-":
            if stop_at_argument:
                return values, [word, *rest]
            values.arguments.append(word)
            continue
        name, has_value, value = _split(word, by_name)
        option = by_name.get(name)
        if option is None:
            raise usage_error(f"unknown option `{name}`", verb)
        if option.value and not has_value:
            if not rest:
                raise usage_error(f"option `{name}` needs a value", verb)
            value = rest.pop(0)
        if not option.value and has_value and not option.ignored and not _is_on(name, value, verb):
            values.options.pop(option.key, None)
            continue
        values.options.setdefault(option.key, []).append(value)
    return values, []


def salvage(argv: list[str], names: tuple[str, ...]) -> dict[str, str]:
    """The last values of those options in a command line that was not understood, by name: any word may be one."""
    found = {}
    for index, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in names and (equals or index + 1 < len(argv)):
            found[name] = value if equals else argv[index + 1]
    return found


def _is_on(name: str, value: str, verb: str) -> bool:
    """Engines written in Go may say --debug=false."""
    if value not in ("true", "false"):
        raise usage_error(f"option `{name}` takes no value but true or false, not `{value}`", verb)
    return value == "true"


def _split(word: str, by_name: dict[str, Option]) -> tuple[str, bool, str]:
    """`--key=value`, `-kvalue` and plain names."""
    name, equals, value = word.partition("=")
    if word.startswith("--") or equals:
        return name, bool(equals), value
    option = by_name.get(word[:2])
    if option is not None and option.value and len(word) > 2:
        return word[:2], True, word[2:]
    return word, False, ""
