"""config.json of a bundle, checked before anything happens."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_runtime.bundle import bundle as bundles
from hybrid_runtime.bundle.annotations import (
    check_annotations,
    follows_trace,
    log_bytes,
    rpmsg_channels,
    start_seconds,
)
from hybrid_runtime.bundle.bundle import Bundle, read_bundle
from hybrid_runtime.bundle.file_bundle import bundle_of_file
from hybrid_runtime.system.failure import Failure
from tests.unit.runtime.command_runner import attempt

GOOD: dict[str, Any] = {
    "ociVersion": "1.0.2-dev",
    "root": {"path": "rootfs"},
    "process": {"args": ["/fw.elf"], "env": ["A=b"]},
    "annotations": {"k": "v"},
    "linux": {"seccomp": {}},
}
NULLABLE = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
ANY: st.SearchStrategy[Any] = st.recursive(
    NULLABLE,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["path", "args", "env", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


def parse(config: object) -> Bundle:
    return Bundle("/bundle", json.dumps(config).encode())


def test_good() -> None:
    bundle = parse(GOOD)
    assert (bundle.root, bundle.firmware) == ("/bundle/rootfs", "/fw.elf")
    assert (bundle.annotations, bundle.environment) == ({"k": "v"}, ["A=b"])
    assert parse(GOOD | {"root": {"path": "/elsewhere"}}).root == "/elsewhere"


@pytest.mark.parametrize(("cwd", "folder"), [("/fw", "/fw"), ("", "/"), (None, "/"), ("/", "/")])
def test_the_working_folder(cwd: str | None, folder: str) -> None:
    assert parse(GOOD | {"process": {"args": ["motor.elf"], "cwd": cwd}}).working_folder == folder


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xef\xbb\xbf{}", "it begins with a byte order mark (save it without)"),
        ('{"ociVersion": "1.0.2"}'.encode("utf-16"), "it begins with a byte order mark (save it as UTF-8)"),
        (b" \n", "it is empty (write it again)"),
        (b"", "it is empty (write it again)"),
        (b"x", "no JSON value (see the OCI runtime spec, config.md)"),
    ],
)
def test_what_is_no_json(content: bytes, said: str) -> None:
    with pytest.raises(Failure) as raised:
        Bundle("/bundle", content)
    assert str(raised.value) == f"`/bundle/config.json`: {said}"


@pytest.mark.parametrize("process", [None, {}])
def test_without_process(process: object) -> None:
    config = {key: value for key, value in GOOD.items() if key != "process"}
    if process is None:
        assert parse(config).firmware is None
    else:
        with pytest.raises(Failure, match=r"process\.args"):
            parse(config | {"process": process})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ociVersion": "2.0.0"}, "ociVersion is `2.0.0`"),
        ({"ociVersion": None}, "ociVersion"),
        ({"ociVersion": 1.0}, "ociVersion"),
        ({"root": None}, r"root\.path"),
        ({"root": {}}, r"root\.path"),
        ({"root": {"path": ""}}, r"root\.path"),
        ({"root": {"path": "a\0b"}}, r"root\.path"),
        ({"root": {"path": "\ud800"}}, r"root\.path"),
        ({"process": []}, "process is not an object"),
        ({"process": {"args": []}}, "exactly one"),
        ({"process": {"args": ["a", "b"]}}, "exactly one"),
        ({"process": {"args": "a"}}, "exactly one"),
        ({"process": {"args": [1]}}, "exactly one"),
        ({"process": {"args": [""]}}, "exactly one"),
        ({"process": {"args": ["a\0"]}}, "exactly one"),
        ({"process": {"args": ["\udfff"]}}, "exactly one"),
        ({"process": {"args": ["a"], "cwd": "relative"}}, "cwd"),
        ({"process": {"args": ["a"], "cwd": 1}}, "cwd"),
        ({"process": {"args": ["a"], "cwd": "/a\0"}}, "cwd"),
        ({"process": {"args": ["a"], "user": 1000}}, "user"),
        ({"process": {"args": ["a"], "user": {"uid": "root"}}}, "user"),
        ({"process": {"args": ["a"], "user": {"uid": -1}}}, "user"),
        ({"process": {"args": ["a"], "env": "A=b"}}, "env"),
        ({"process": {"args": ["a"], "env": ["A=b", 1]}}, r"process\.env\[1\] is `1`, not a string \(put it in quot"),
        ({"annotations": []}, "annotations is not an object"),
        ({"annotations": {"a": "b", "c": 1.5}}, r"annotations has `c` as `1\.5`, not a string \(put it in quotation"),
        ({"annotations": {"a": {"b": []}}}, r"annotations has `a` as `\{\"b\": \[\]\}`, not a string"),
    ],
)
def test_bad(change: dict[str, object], message: str) -> None:
    with pytest.raises(Failure, match=message):
        parse(GOOD | change)


@given(st.dictionaries(st.sampled_from([*GOOD, "hooks"]), ANY))
def test_anything_else_is_a_failure(change: dict[str, object]) -> None:
    bundle = attempt(lambda: parse(GOOD | change), Failure)
    if isinstance(bundle, Failure):
        assert "config.json" in str(bundle)
    else:
        assert bundle.root.startswith("/")
        assert bundle.firmware is None or bundle.firmware


@given(st.binary(max_size=60))
def test_any_bytes_are_a_failure(data: bytes) -> None:
    with pytest.raises(Failure):
        Bundle("/bundle", data)


@pytest.mark.parametrize("data", [b"{} trailing", b"[" * 200_000, b'{"ociVersion": ' + b"9" * 10_000 + b"}", b""])
def test_texts_that_break_parsers(data: bytes) -> None:
    with pytest.raises(Failure):
        Bundle("/bundle", data)


def test_read_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Failure, match="cannot read"):
        read_bundle(str(tmp_path))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(GOOD))
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert read_bundle(str(link)).path == str(tmp_path)
    monkeypatch.setattr(bundles, "LARGEST_CONFIG_BYTES", 10)
    with pytest.raises(Failure, match="larger than 10 bytes"):
        read_bundle(str(tmp_path))


def test_bundle_of_a_file(tmp_path: Path) -> None:
    bundle = bundle_of_file(str(tmp_path / "made"), "/some/folder/fw.elf", {"a": "b"})
    assert (bundle.root, bundle.firmware, bundle.annotations) == ("/some/folder", "fw.elf", {"a": "b"})
    again = read_bundle(bundle.path)
    assert again.config == bundle.config


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("remoteproc.recovery", ["container", "kernel"], ["", "enabled", "Kernel"]),
        ("remoteproc.format", ["elf", "raw"], ["bin"]),
        ("remoteproc.coredump", ["off", "on"], ["", "yes", "enabled"]),
        (
            "remoteproc.logs",
            [
                *("trace", "none", "trace,rpmsg:a", "rpmsg:rpmsg-raw , trace", "rpmsg:a,rpmsg:a", f"rpmsg:{'x' * 31}"),
                *("rpmsg:a@0", "rpmsg:a@1024", "rpmsg:a@0x400", "rpmsg:a@0xFFFFFFFF", "rpmsg:a@b@7"),
                f"rpmsg:{'x' * 31}@4294967295",
            ],
            [
                "",
                "trace,",
                "none,trace",
                "rpmsg",
                "rpmsg:",
                "a",
                "rpmsg:a\nb",
                f"rpmsg:{'x' * 32}",
                f"rpmsg:{'é' * 16}",
                *(
                    "rpmsg:a@",
                    "rpmsg:@1",
                    "rpmsg:a@b",
                    "rpmsg:a@-1",
                    "rpmsg:a@0x",
                    "rpmsg:a@0x100000000",
                    "rpmsg:a@1_0",
                ),
                *("rpmsg:a@²", "rpmsg:a@ 1", "rpmsg:a@4294967296", "rpmsg:a@0o7", f"rpmsg:a@{'9' * 5000}"),
            ],
        ),
        (
            "remoteproc.logs-size",
            ["16384", "16K", "64k", "1M", "64m"],
            ["", "0", "16383", "15K", "65M", "-1M", "K", "1G", "1.5M", " 16K", "²", "9" * 40],
        ),
        ("remoteproc.start-timeout", ["1", "0.5", "3600", "1e3"], ["0", "-1", "nan", "inf", "", "x", "3601"]),
    ],
)
def test_annotations(key: str, good: list[str], bad: list[str]) -> None:
    for value in good:
        check_annotations({key: value, "other": "x"})
    for value in bad:
        with pytest.raises(Failure, match=key):
            check_annotations({key: value})


def test_what_the_output_is_made_of() -> None:
    assert (follows_trace({}), rpmsg_channels({})) == (True, [])
    assert (follows_trace({"remoteproc.logs": "none"}), rpmsg_channels({"remoteproc.logs": "none"})) == (False, [])
    several = {"remoteproc.logs": "rpmsg:a, trace, rpmsg:b b, rpmsg:a, rpmsg:a@0x400, rpmsg:a@1024"}
    assert (follows_trace(several), rpmsg_channels(several)) == (True, [("a", None), ("b b", None), ("a", 1024)])
    assert not follows_trace({"remoteproc.logs": "rpmsg:trace"})


@pytest.mark.parametrize(("text", "size"), [("20000", 20000), ("32K", 32 << 10), ("2m", 2 << 20)])
def test_log_bytes(text: str, size: int) -> None:
    assert log_bytes({"remoteproc.logs-size": text}) == size
    assert log_bytes({}) == 256 << 10


def test_start_seconds() -> None:
    assert start_seconds({}) == 10.0
    assert start_seconds({"remoteproc.start-timeout": "2.5"}) == 2.5
