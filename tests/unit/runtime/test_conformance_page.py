"""docs/oci-conformance.md: its counts are those of its rows, and no part of the specification is left out."""

import json
import re
from collections import Counter
from pathlib import Path

from tests.unit.runtime.oci_schemas import schema_file

PAGE = Path(__file__).resolve().parents[3] / "docs/oci-conformance.md"
ROW = re.compile(r"^\|([^|]+)\| (full|partial|own|none) \|", re.MULTILINE)
NAMED = re.compile(r"`([\w.]+)`")
COUNT = re.compile(r"^\| (full|partial|own|none) \| (\d+) \|$", re.MULTILINE)


def test_the_counts_are_those_of_the_rows() -> None:
    text = PAGE.read_text()
    rows = Counter(support for _, support in ROW.findall(text))
    assert {support: int(count) for support, count in COUNT.findall(text)} == rows


def test_every_property_of_the_specification_has_a_row() -> None:
    # The features schema is not in the older set, whose configuration has less.
    folder = schema_file("features-schema.json").parent
    names = NAMED.findall("".join(row for row, _ in ROW.findall(PAGE.read_text())))
    config = json.loads((folder / "config-schema.json").read_text())["properties"]
    linux = json.loads((folder / "config-linux.json").read_text())["linux"]["properties"]
    wanted = {name for name in config if name not in ("process", "root", "hooks", "linux")}
    for part in ("process", "root", "hooks"):
        wanted |= {f"{part}.{name}" for name in config[part]["properties"]}
    wanted |= {f"linux.{name}" for name in linux}
    assert wanted - set(names) == set()
