"""docs/oci-conformance.md: its counts are those of its rows."""

import re
from collections import Counter
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs/oci-conformance.md"
ROW = re.compile(r"^\|([^|]+)\| (full|partial|own|none) \|", re.MULTILINE)
COUNT = re.compile(r"^\| (full|partial|own|none) \| (\d+) \|$", re.MULTILINE)


def test_the_counts_are_those_of_the_rows() -> None:
    text = PAGE.read_text()
    rows = Counter(support for _, support in ROW.findall(text))
    assert {support: int(count) for support, count in COUNT.findall(text)} == rows
