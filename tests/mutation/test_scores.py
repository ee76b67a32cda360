"""Every mutation of a pure module is noticed, or written down as one that changes nothing."""

import tomllib
from collections.abc import Callable
from pathlib import Path

from mutation.session import SCORE, Module, Survivor, mutate

HERE = Path(__file__).resolve().parent
GOOD = 0.9


def test_every_mutation_is_noticed(
    module: Module, copy: Path, folder: Path, record_property: Callable[[str, object], None]
) -> None:
    score = mutate(module, copy, folder)
    explained = explained_survivors(module.path)
    open_ones = [survivor for survivor in score.survivors if survivor not in explained]
    stale = [survivor for survivor in explained if survivor not in score.survivors]
    killed = score.mutations - len(score.survivors)
    share = killed / (score.mutations - len(score.survivors) + len(open_ones))
    line = f"{module.path}: {share:.1%}, {killed} of {score.mutations} noticed, {len(open_ones)} not explained"
    record_property(SCORE, line)
    told = "".join(f"\n- {survivor.before}\n+ {survivor.after}" for survivor in open_ones)
    assert not open_ones, f"{line}{told}"
    assert not stale, f"noticed, or no mutation any more: {stale}"
    assert share >= GOOD


def explained_survivors(path: str) -> set[Survivor]:
    entries = tomllib.loads((HERE / "equivalent.toml").read_text()).get("survivor", [])
    return {Survivor(entry["from"], entry["to"]) for entry in entries if entry["file"] == path and entry["why"]}
