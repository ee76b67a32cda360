"""The entries of the lists beside this file."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from tests.mutants.trial import Ending

HERE = Path(__file__).resolve().parent
# Tests outside of it need a board.
WITHOUT_BOARD = "tests/unit/"
# What else an entry may say of how its tests end.
OTHER_ENDINGS = (Ending.FIXTURE, Ending.COLLECTION, Ending.HANG)


class EntryError(Exception):
    """An entry that is no mutant."""


@dataclass(frozen=True)
class Mutant:
    """One sabotage. `before` stands in `file` exactly once, and `after` is put in its place."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    why: str
    ends: Ending = Ending.TEST

    def __str__(self) -> str:
        return f"{self.file}:{self.name}"

    @property
    def needs_board(self) -> bool:
        return any(not test.startswith(WITHOUT_BOARD) for test in self.tests)

    def apply(self, checkout: Path) -> None:
        """Raises EntryError when the file has no such text, or more than one."""
        path = checkout / self.file
        if not path.is_file():
            raise EntryError(f"there is no `{self.file}`")
        text = path.read_text()
        count = text.count(self.before)
        if count != 1:
            raise EntryError(f"`from` stands in `{self.file}` {count} times, not once")
        path.write_text(text.replace(self.before, self.after))


def read_mutants(folder: Path = HERE) -> list[Mutant]:
    """Of all lists in `folder`. Raises EntryError."""
    mutants = [mutant for path in sorted(folder.glob("*.toml")) for mutant in _of_list(path)]
    names = [str(mutant) for mutant in mutants]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise EntryError(f"two entries are called `{twice[0]}`")
    return mutants


def _of_list(path: Path) -> Iterator[Mutant]:
    for number, entry in enumerate(tomllib.loads(path.read_text()).get("mutant", []), start=1):
        try:
            yield parse_mutant(entry)
        except EntryError as error:
            raise EntryError(f"`{path.name}`, entry {number}: {error}") from None


def parse_mutant(entry: dict[str, object]) -> Mutant:
    """Raises EntryError."""
    words = {"from": "before", "to": "after"}
    values = {words.get(key, key): value for key, value in entry.items()}
    required = {"name", "file", "before", "after", "tests", "why"}
    known = {field.name for field in fields(Mutant)}
    wrong = [*sorted(required - values.keys()), *sorted(values.keys() - known)]
    if wrong:
        raise EntryError(f"field `{wrong[0]}` is missing or unknown")
    tests = values.pop("tests")
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) and "::" in test for test in tests):
        raise EntryError("`tests` is no list of FILE::TEST")
    ends = values.pop("ends", Ending.TEST)
    if ends is not Ending.TEST and ends not in OTHER_ENDINGS:
        raise EntryError(f"`ends` is none of {', '.join(OTHER_ENDINGS)}")
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    if len(texts) != len(values) or not all(value for name, value in texts.items() if name != "after"):
        raise EntryError("a field is no text, or empty")
    if texts["before"] == texts["after"]:
        raise EntryError("`from` and `to` are the same")
    return Mutant(tests=tuple(tests), ends=Ending(str(ends)), **texts)
