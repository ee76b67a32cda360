"""Which image of several is for this board."""

from pathlib import Path

import pytest

from hybrid_runtime.image.candidate import Candidate, Configuration
from hybrid_runtime.image.selection import Choice, Selection
from hybrid_runtime.processor.board import Board, this_board
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import read_object
from hybrid_runtime.system.system_paths import SystemPaths
from tests.image_builder import configuration, dump, firmware_layer
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

BOARD = Board("Emulated board", ["vendor,board", "vendor,soc"], [("core0", "remoteproc0"), ("core1", "remoteproc1")])


def candidate(name: str, annotations: dict[str, str] | None = None, env: str = "", **labels: str) -> Candidate:
    document = configuration([], Labels=labels, Env=[env] if env else [])
    made = Candidate(name, Configuration(read_object(dump(document))), [])
    made.annotations = annotations or {}
    made.digests = [name]
    return made


def choose(*candidates: Candidate, given: dict[str, str] | None = None, option: str = "") -> Choice:
    return Selection(BOARD, given or {}, option).choose(list(candidates), [])


@pytest.mark.parametrize("board", ["Emulated board", "vendor,board", "vendor,soc"])
def test_model_and_compatible_strings_are_names_of_the_board(board: str) -> None:
    chosen = choose(candidate("other", board="other"), candidate("ours", board=board))
    assert chosen.candidate.name == "ours"


@pytest.mark.parametrize("board", ["vendor", "emulated board", "vendor,board ", "Emulated board\0"])
def test_nearly_is_not_enough(board: str) -> None:
    with pytest.raises(Failure, match="no image is for this board") as refused:
        choose(candidate("a", board=board))
    assert "`vendor,soc`, with the processors `core0`, `core1`" in str(refused.value)


def test_without_marks_any_board_will_do() -> None:
    assert choose(candidate("a")).annotations == {}


def test_none_and_several_are_listed() -> None:
    with pytest.raises(Failure, match="2 images are for this board: `a` board `vendor,soc`, `b` without board and mcu"):
        choose(candidate("a", board="vendor,soc"), candidate("b"), candidate("c", board="other"))
    with pytest.raises(Failure, match=r"`a` is for the board `x`, `b` is for the mcu `m7` \(this board is"):
        choose(candidate("a", board="x"), candidate("b", mcu="m7"))
    with pytest.raises(Failure, match="no firmware image in it"):
        choose()
    with pytest.raises(Failure, match="`sha256:1` was not stored with the others"):
        Selection(BOARD, {}, "").choose([], ["sha256:1"])


def test_the_mcu_chooses_the_processor() -> None:
    chosen = choose(candidate("a", mcu="core1"), candidate("b", mcu="m7"))
    assert (chosen.candidate.name, chosen.annotations) == ("a", {"remoteproc.name": "core1"})


@pytest.mark.parametrize(
    ("given", "option", "env"),
    [
        ({"remoteproc.name": "core1"}, "", ""),
        ({"remoteproc.device": "remoteproc1"}, "core0", ""),
        ({}, "core1", ""),
        ({}, "", "REMOTEPROC_NAME=core1"),
    ],
)
def test_a_named_processor_chooses_the_image(given: dict[str, str], option: str, env: str) -> None:
    both = [candidate(name, env=env, mcu=name) for name in ("core0", "core1")]
    chosen = choose(*both, given=given, option=option)
    assert (chosen.candidate.name, chosen.annotations) == ("core1", given)
    with pytest.raises(Failure, match="`core0` is for the mcu `core0`, not for `"):
        choose(both[0], given=given, option=option)


def test_annotations_before_labels_and_the_long_spelling_before_the_short() -> None:
    made = candidate("a", {"mcu": "core0"}, mcu="core1")
    assert made.mcu == "core0"
    made.annotations["org.hybrid-runtime.mcu"] = "core1"
    assert made.mcu == "core1"
    made.configuration.labels["org.hybrid-runtime.board"] = "x"
    assert made.board == "x"


def test_annotations_of_the_image_are_passed_on() -> None:
    image = {"remoteproc.recovery": "kernel", "remoteproc.device": "remoteproc0", "other": "x", "board": "vendor,soc"}
    assert choose(candidate("a", image)).annotations == {
        "remoteproc.recovery": "kernel",
        "remoteproc.device": "remoteproc0",
    }
    given = {"remoteproc.recovery": "container", "remoteproc.name": "core1"}
    assert choose(candidate("a", image), given=given).annotations == given


def test_an_image_listed_twice_is_one() -> None:
    twice = [candidate("same", {"board": name}) for name in BOARD.compatible]
    assert choose(*twice).candidate.name == "same"
    with pytest.raises(Failure, match="2 images"):
        choose(*twice, candidate("same", {"remoteproc.recovery": "kernel"}))


def test_words_of_strangers_are_one_short_line() -> None:
    evil = candidate("a", board="\x1b[2J\n" + "x" * 100_000)
    with pytest.raises(Failure) as refused:
        choose(*[evil] * 200)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 4000


def test_this_board(double: RemoteprocDouble) -> None:
    system = SystemPaths(str(double.sysroot))
    assert "no devicetree" in str(this_board(system))
    double.add("core0")
    folder = Path(system.path("/proc/device-tree"))
    folder.mkdir(parents=True)
    (folder / "model").write_bytes(b"A board\0")
    (folder / "compatible").write_bytes(b"vendor,board\0vendor,soc\0")
    board = this_board(system)
    assert (board.model, board.compatible) == ("A board", ["vendor,board", "vendor,soc"])
    assert board.processors == [("core0", "remoteproc0")]
    assert not board.is_called("")


def test_the_command_must_be_one_path() -> None:
    layer = firmware_layer()
    for command, words in (
        ({"Cmd": None}, r"are `\[\]`"),
        ({"Cmd": ["/bin/sh", "-c", "/fw.elf"]}, r'are `\["/bin/sh", "-c", "/fw\.elf"\]`'),
        ({"Entrypoint": ["/fw.elf"], "Cmd": ["--fast"]}, r'are `\["/fw\.elf", "--fast"\]`'),
        ({"Cmd": [""]}, "not exactly one path"),
        ({"Cmd": ["a\0b"]}, "not exactly one path"),
    ):
        document = configuration([layer], **command)
        with pytest.raises(Failure, match=words):
            Candidate("x", Configuration(document | {"rootfs": {"type": "layers", "diff_ids": []}}), []).firmware()
    entry = configuration([], Entrypoint=["/fw.elf"], Cmd=None)
    assert Candidate("x", Configuration(entry), []).firmware() == "/fw.elf"
