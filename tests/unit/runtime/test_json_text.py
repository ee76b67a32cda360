"""JSON read and written by the interpreter's private parts and by the public module: the same both ways."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.system import json_text
from tests.unit.runtime.command_runner import attempt

Parse = Callable[[str], object]
WAYS: list[Parse] = [way for way in (json_text._fast_parser(), json_text._public_parser()) if way is not None]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
BAD = [
    *("", " ", "{", "}", "[1,]", '{"a":1,}', "{'a':1}", "nul", '"a', '"\n"', "01", "1 2", "{} x", "NaN", "-Infinity"),
    *("Infinity", "\ufeff{}", "[" * 100_000, '{"a":' * 100_000, "9" * 5000, '"\\x"', '"\\u12"', "+1", ".5", "1.", "//"),
]


@pytest.fixture(params=WAYS, ids=["private", "public"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """json_text as if the interpreter had only this way."""
    monkeypatch.setattr(json_text, "_parse", request.param)


def test_this_interpreter_has_the_fast_way() -> None:
    assert len(WAYS) == 2


@given(VALUES)
def test_both_ways_read_the_same(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        assert [parse(text) for parse in WAYS] == [value] * len(WAYS)


@given(VALUES)
def test_both_ways_write_the_same(value: object) -> None:
    fast = json_text._fast_writer()
    assert fast is not None
    assert fast(value) == json_text._public_writer()(value)
    assert json_text.read(json_text.write(value)) == value
    assert json_text.write(value).isascii()
    assert "\n" not in json_text.write(value)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:12]))
def test_what_is_not_json(text: str) -> None:
    with pytest.raises(json_text.BadJSON):
        json_text.read(text)


@given(st.text(alphabet='{}[]",:0123456789.eE+-\\untrfalsb \n', max_size=30))
def test_both_ways_refuse_the_same(text: str) -> None:
    outcomes = []
    for parse in WAYS:
        try:
            outcomes.append(repr(parse(text)))
        except ValueError:
            outcomes.append("refused")
    assert outcomes[0] == outcomes[-1]


@given(st.binary(max_size=40))
def test_bytes_are_an_object_or_bad(data: bytes) -> None:
    value = attempt(lambda: json_text.read_object(data), json_text.BadJSON)
    assert isinstance(value, dict) or str(value)


@pytest.mark.parametrize("data", [b"[]", b"1", b"null", b'"x"', b"\xff", b'{"a":"\xff"}'])
def test_what_is_no_object(data: bytes) -> None:
    with pytest.raises(json_text.BadJSON):
        json_text.read_object(data)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_values_are_never_counted_too_low(value: object) -> None:
    """Members, elements, and what holds them."""

    def values_in(part: object) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
        return 1 + sum(map(values_in, inner))

    assert json_text.values_at_most(json.dumps(value).encode()) >= values_in(value)


def test_more_values_than_anybody_writes() -> None:
    most = json_text.MOST_VALUES - 4
    assert json_text.read_object(b'{"a": [' + b", ".join([b"0"] * most) + b"]}")
    with pytest.raises(json_text.BadJSON, match="more than 32768 values"):
        json_text.read_object(b'{"a": [' + b", ".join([b"0"] * (most + 5)) + b"]}")


def test_what_has_no_json_form() -> None:
    for value in (object(), {1, 2}, b"bytes"):
        with pytest.raises(TypeError):
            json_text.write(value)


def test_huge_numbers_are_read_or_refused() -> None:
    assert json_text.read("1e400") == math.inf
    assert json_text.read("9" * 400) == int("9" * 400)


def test_for_a_person() -> None:
    assert json_text.write_for_person({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
