"""Every mutation of a pure module is noticed, or written down as one that nobody can notice."""

import tomllib
from collections.abc import Callable
from pathlib import Path

from tests.mutation.session import SCORE, Module, Survivor, mutate

HERE = Path(__file__).resolve().parent
# Of an entry that speaks of all modules.
ANY_FILE = "*"


def test_every_mutation_is_noticed(
    module: Module, copy: Path, folder: Path, record_property: Callable[[str, object], None]
) -> None:
    score = mutate(module, copy, folder)
    own, common = explained(module.path), explained(ANY_FILE)
    unexplained = [survivor for survivor in score.survivors if survivor not in own | common]
    noticed = score.mutations - len(score.survivors)
    share = f"{noticed} of {score.mutations} mutations noticed, {noticed / score.mutations:.1%}"
    record_property(SCORE, f"{module.path}: {share}; {len(unexplained)} neither noticed nor explained")
    told = "".join(f"\n- {survivor.before}\n+ {survivor.after}" for survivor in unexplained)
    assert not unexplained, f"{share}; neither noticed nor explained:{told}"
    assert own <= set(score.survivors), f"explained, but noticed or gone: {own - set(score.survivors)}"


def explained(file: str) -> set[Survivor]:
    """The survivors of that file which the list beside this one gives reasons for."""
    entries = tomllib.loads((HERE / "equivalent.toml").read_text())["survivor"]
    return {Survivor(entry["from"], entry["to"]) for entry in entries if entry["file"] == file and entry["why"]}
