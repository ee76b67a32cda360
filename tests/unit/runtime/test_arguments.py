"""What stands in the place of a firmware's path: quoted, and named with its remedy, for bundles and images alike."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.bundle.arguments import quoted
from hybrid_runtime.bundle.bundle import Bundle
from hybrid_runtime.image.candidate import Candidate, Configuration
from hybrid_runtime.system.failure import Failure
from tests.image_builder import configuration
from tests.unit.runtime.command_runner import attempt

FIRMWARE = "/firmware.elf"
INIT, SHELL, EMPTY, SEVERAL = "--init", "with the brackets", "ENTRYPOINT []", "no arguments"
CASES: list[tuple[list[str], list[str]]] = [
    # podman run --init, docker run --init, init: true in compose
    (["/run/podman-init", "--", FIRMWARE], [INIT]),
    (["/sbin/docker-init", "--", FIRMWARE], [INIT]),
    (["/catatonit", "-P", "--", FIRMWARE], [INIT]),
    (["/usr/bin/tini", FIRMWARE], [INIT]),
    (["/run/podman-init", "--"], [INIT, FIRMWARE]),
    # CMD /firmware.elf
    (["/bin/sh", "-c", FIRMWARE], [SHELL]),
    (["/bin/bash", "-xc", f"exec {FIRMWARE}"], [SHELL]),
    (["/run/podman-init", "--", "/bin/sh", "-c", FIRMWARE], [INIT, SHELL]),
    # An empty word for an entrypoint
    ([""], [EMPTY, FIRMWARE]),
    (["", FIRMWARE], [EMPTY]),
    (["/sbin/docker-init", "--", "", FIRMWARE], [INIT, EMPTY]),
    (["", "/bin/sh", "-c", FIRMWARE], [EMPTY, SHELL]),
    # ENTRYPOINT and CMD
    ([FIRMWARE, "--fast"], [SEVERAL]),
    ([], [FIRMWARE]),
]
ALL = (INIT, SHELL, EMPTY, SEVERAL)


def in_bundle(words: object) -> Failure:
    config = {"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"cwd": "/", "args": words}}
    refused = attempt(lambda: Bundle("/bundle", json.dumps(config).encode()), Failure)
    assert isinstance(refused, Failure)
    return refused


def in_image(words: list[str]) -> Failure:
    refused = attempt(
        lambda: Candidate("motor:v1", Configuration(configuration([], Cmd=words)), []).firmware(), Failure
    )
    assert isinstance(refused, Failure)
    return refused


@pytest.mark.parametrize(("words", "remedies"), CASES, ids=lambda words: " ".join(words) or "nothing")
def test_the_words_found_and_what_to_do(words: list[str], remedies: list[str]) -> None:
    for refused, subject in (
        (in_bundle(words), "`/bundle/config.json`: process.args is"),
        (in_image(words), "ENTRYPOINT and CMD of the image `motor:v1` are"),
    ):
        assert refused.message == f"{subject} `{json.dumps(words)}`, not exactly one path of a firmware"
        assert [word for word in ALL if word in refused.remedy] == [word for word in ALL if word in remedies]
        assert all(word in refused.remedy for word in remedies)


@pytest.mark.parametrize("words", [None, "a", [1], {}, [FIRMWARE, None], [[FIRMWARE]]])
def test_what_is_no_list_of_strings(words: object) -> None:
    assert "process.args is no list of strings" in in_bundle(words).message


@given(st.lists(st.text(max_size=400) | st.sampled_from(["\x1b[2J", "\x7f", "\n", "\ud800", "\0"]), max_size=300))
def test_a_quotation_is_short_and_printable(words: list[str]) -> None:
    text = quoted(words)
    assert text.isprintable()
    assert len(text) <= 160
    if not text.endswith("…"):
        assert json.loads(text) == words


def test_a_quotation_of_megabytes() -> None:
    assert len(quoted(["x" * 1_000_000] * 1000)) == 160
