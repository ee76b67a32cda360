"""Layers of strangers: what adds up to a file system, and what is refused before anything is written."""

import gzip
import io
import os
import random
import subprocess
import sys
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from hybrid_runtime.image import layer as layers
from hybrid_runtime.image import tar_stream, zstd_program
from hybrid_runtime.image.blob import Blob, Digest, FileSection, open_file
from hybrid_runtime.image.layer import Layer, Limits
from hybrid_runtime.image.tree import Tree
from hybrid_runtime.system.failure import Failure
from tests.image_builder import digest_of, member, tar

Member = tuple[tarfile.TarInfo, bytes]
Make = Callable[..., Layer]
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
FOLDER, LINK, HARD = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


class FolderStore:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self, path: str) -> FileSection | None:
        return open_file(f"{self.folder}/{path}")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """A layer of exactly those bytes, whose diff_id is that of what they unpack to."""

    def make_layer(packed: bytes, unpacked: bytes | None = None) -> Layer:
        name = f"{len(list(tmp_path.iterdir()))}"
        (tmp_path / name).write_bytes(packed)
        blob = Blob(FolderStore(tmp_path), name, "layer", Digest(digest_of(packed)), len(packed))
        return Layer(blob, Digest(digest_of(packed if unpacked is None else unpacked)))

    return make_layer


def pax_named(name: str) -> Member:
    info, content = member("x")
    info.pax_headers = {"path": name}
    return info, content


def tree_of(make: Make, *contents: list[Member]) -> tuple[Tree, list[Layer]]:
    made = [make(tar(*members)) for members in contents]
    limits = Limits()
    tree = Tree(limits.entries)
    for layer in made:
        tree.apply(layer.entries(limits))
    return tree, made


def content(tree: Tree, made: list[Layer], path: str) -> bytes:
    file = tree.find(path)
    stream = io.BytesIO()
    made[file.layer].extract(file.offset, file.size, stream.write)
    return stream.getvalue()


def test_layers_add_up(make: Make) -> None:
    lower = [
        member("./", kind=FOLDER),
        member("./lib", kind=FOLDER),
        member("lib/old.elf", b"old"),
        member("lib/kept.elf", b"kept"),
        member("opaque/a", b"a"),
        member("becomes-file/x", b"x"),
        member("becomes-folder", b"file"),
        member("/", kind=FOLDER),
    ]
    upper = [
        member("lib", kind=FOLDER),
        member("lib/.wh.old.elf"),
        member("opaque/b", b"b"),
        member("opaque/.wh..wh..opq"),
        member("lib/kept.elf", b"changed"),
        member("becomes-file", b"now a file"),
        member("becomes-folder", kind=FOLDER),
        member("becomes-folder/x", b"inner"),
        member("lib/.wh..wh.plnk"),
        member("nowhere/.wh.nothing"),
    ]
    tree, made = tree_of(make, lower, upper)
    assert content(tree, made, "/lib/kept.elf") == b"changed"
    assert content(tree, made, "opaque/b") == b"b"
    assert content(tree, made, "becomes-file") == b"now a file"
    assert content(tree, made, "becomes-folder/x") == b"inner"
    for gone in ("lib/old.elf", "opaque/a", "becomes-file/x", "lib/.wh.old.elf", "lib/.wh..wh.plnk"):
        with pytest.raises(Failure, match="the image has no firmware"):
            tree.find(gone)


def test_a_whiteout_spares_its_own_layer(make: Make) -> None:
    tree, made = tree_of(
        make, [member("a", b"old")], [member("a", b"new"), member(".wh.a"), member("b", b"b"), member(".wh.b")]
    )
    assert content(tree, made, "a") == b"new"
    assert content(tree, made, "b") == b"b"


def test_links_lead_inside(make: Make) -> None:
    tree, made = tree_of(
        make,
        [
            member("real/fw.elf", b"firmware"),
            member("absolute", kind=LINK, link="/real/fw.elf"),
            member("real/up", kind=LINK, link="../../../../real/fw.elf"),
            member("folder", kind=LINK, link="real"),
            member("hard", kind=HARD, link="real/fw.elf"),
            member("loop", kind=LINK, link="loop"),
            member("passwd", kind=LINK, link="/etc/passwd"),
        ],
    )
    for path in ("absolute", "real/up", "folder/fw.elf", "hard", "/../../real/../folder/./fw.elf"):
        assert content(tree, made, path) == b"firmware"
        assert tree.find(path).path == ("real", "fw.elf") if path != "hard" else ("hard",)
    for path, reason in (
        ("loop", "too many"),
        ("passwd", "not there"),
        ("real", "a folder"),
        ("hard/x", "not a folder"),
    ):
        with pytest.raises(Failure, match=reason):
            tree.find(path)


def test_a_name_with_a_slash_in_front_is_inside(make: Make) -> None:
    """As every engine unpacks it."""
    tree, _ = tree_of(make, [member("/fw/motor.elf", b"x"), member("//link.elf", kind=HARD, link="/fw/motor.elf")])
    for path in ("/fw/motor.elf", "fw/motor.elf", "/link.elf"):
        assert tree.find(path, "/").size == 1


def test_a_relative_path_is_looked_for_below_the_working_folder_first(make: Make) -> None:
    tree, made = tree_of(
        make,
        [
            member("fw/motor.elf", b"below"),
            member("motor.elf", b"root"),
            member("other.elf", b"root"),
            member("fw/out", kind=LINK, link="../../../other.elf"),
            member("fw/loop.elf", kind=LINK, link="loop.elf"),
            member("loop.elf", b"root"),
            member("fw/folder.elf", kind=FOLDER),
            member("folder.elf", b"root"),
        ],
    )

    def found(path: str, working_folder: str) -> bytes:
        file = tree.find(path, working_folder)
        stream = io.BytesIO()
        made[file.layer].extract(file.offset, file.size, stream.write)
        return stream.getvalue()

    for path, working_folder, expected in (
        ("motor.elf", "/fw", b"below"),
        ("./motor.elf", "/fw/", b"below"),
        ("../motor.elf", "/fw", b"root"),
        ("/motor.elf", "/fw", b"root"),
        ("other.elf", "/fw", b"root"),
        ("fw/motor.elf", "/fw", b"below"),
        ("motor.elf", "/absent", b"root"),
        ("motor.elf", "/other.elf", b"root"),
        ("motor.elf", "", b"root"),
        ("motor.elf", "fw", b"below"),
        ("out", "/fw", b"root"),
    ):
        assert found(path, working_folder) == expected
    for path, reason in (
        ("none.elf", "`none.elf`, below `/fw` or `/`: `none.elf` is not there"),
        ("loop.elf", "too many"),
        ("folder.elf", "it is a folder"),
    ):
        with pytest.raises(Failure, match=reason):
            tree.find(path, "/fw")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([member("../x", b"x")], "leads out of the image"),
        ([member("a/../../x", b"x")], "leads out of the image"),
        ([member("/../etc/passwd", b"x")], "leads out of the image"),
        ([member("x", kind=HARD, link="../../etc/shadow")], "leads out of the image"),
        ([member("x", kind=HARD, link="/etc/shadow")], "no file of the image"),
        ([member("x", kind=HARD, link="etc/shadow")], "no file of the image"),
        ([member("x", kind=HARD, link="")], "no file of the image"),
        ([member("d", kind=FOLDER), member("x", kind=HARD, link="d")], "no file of the image"),
        ([pax_named("a\0b")], "leads out of the image"),
        ([member("x", kind=tarfile.CHRTYPE)], "the device"),
        ([member("x", kind=tarfile.BLKTYPE)], "the device"),
        ([member("x", kind=tarfile.FIFOTYPE)], "the FIFO"),
        ([member("x", kind=b"Z")], "unknown type"),
        ([member("x", kind=tarfile.GNUTYPE_SPARSE)], "sparse"),
        ([member("a", b"1"), member("a", b"2")], "`a` twice"),
        ([member("a", b"1"), member("./a", b"2")], "`a` twice"),
        ([member("a", b"1"), member("/a", b"2")], "`a` twice"),
        ([member("a/b", b"1"), member("a", b"2")], "`a` twice"),
        ([member("a", kind=FOLDER), member("a", kind=LINK, link="/")], "`a` twice"),
        ([member("a", kind=LINK, link="/etc"), member("a/passwd", b"x")], "`a` is none"),
        ([member("a", b""), member("a/b", b"x")], "`a` is none"),
        ([member("."), member("x")], "replaces the root folder"),
        ([member(".wh.")], "names nothing"),
        ([member("a/.wh...")], "names nothing"),
        ([member("/".join("a" * 65), b"")], "more than 64 folders deep"),
        ([member("a" * 5000, b"")], "too long for Linux"),
        ([member("a", kind=LINK, link="b" * 5000)], "too long for Linux"),
        ([member("\x1b[31m\n/../x", b"")], r"`\\x1b\[31m\\n/\.\./x`"),
    ],
)
def test_what_no_builder_writes_is_refused(make: Make, members: list[Member], words: str) -> None:
    with pytest.raises(Failure, match=words) as refused:
        tree_of(make, members)
    assert str(refused.value).isprintable()


def test_a_link_of_a_lower_layer_is_not_followed_either(make: Make) -> None:
    with pytest.raises(Failure, match="`a` is none"):
        tree_of(make, [member("a", kind=LINK, link="/etc")], [member("a/passwd", b"x")])


def test_folders_may_be_repeated(make: Make) -> None:
    tree, made = tree_of(make, [member("a", kind=FOLDER), member("a/x", b"x"), member("a/", kind=FOLDER)])
    assert content(tree, made, "a/x") == b"x"


def test_compressed(make: Make) -> None:
    plain = tar(member("x", b"x" * 100_000))
    # Two gzip members in a row are one stream.
    packed = gzip.compress(plain[:5000]) + gzip.compress(plain[5000:])
    assert [entry.path for entry in make(packed, plain).entries(Limits())] == [("x",)]


ZSTD = next((path for path in zstd_program.PROGRAMS if os.access(path, os.X_OK)), "")
needs_zstd = pytest.mark.skipif(not ZSTD, reason="this machine has no zstd")


def zstd(data: bytes) -> bytes:
    return subprocess.run([ZSTD, "-c"], input=data, capture_output=True, check=True).stdout


@pytest.fixture
def no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of an interpreter before 3.14."""
    monkeypatch.setitem(sys.modules, "compression.zstd", None)


@pytest.mark.usefixtures("no_module")
def test_zstd_needs_a_module_or_a_program(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zstd_program, "PROGRAMS", ())
    with pytest.raises(Failure, match=r"neither Python 3\.1\d\.\d+ nor a program reads that \(install zstd, "):
        make(ZSTD_MAGIC + b"\0" * 20).entries(Limits())


@needs_zstd
@pytest.mark.usefixtures("no_module")
@pytest.mark.parametrize("size", [8, 70000, 3 << 20])
def test_zstd_by_the_program(make: Make, size: int) -> None:
    """More than the pipes hold in both directions, and a frame that is to be skipped, as zstd:chunked has them."""
    content = random.Random(size).randbytes(size)
    plain = tar(member("x", content))
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"toc!"
    layer = make(zstd(plain) + skippable, plain)
    [entry] = layer.entries(Limits())
    stream = io.BytesIO()
    layer.extract(entry.offset, entry.size, stream.write)
    assert stream.getvalue() == content


@needs_zstd
@pytest.mark.usefixtures("no_module")
def test_damaged_zstd(make: Make) -> None:
    packed = zstd(tar(member("x", random.Random(1).randbytes(100000))))
    for damage in (packed[:-1000], packed[:5000] + b"\0" * 100 + packed[5100:], ZSTD_MAGIC + b"\xff" * 100):
        with pytest.raises(Failure, match="is no tar"):
            make(damage).entries(Limits())


@needs_zstd
@pytest.mark.usefixtures("no_module")
def test_a_bomb_of_zstd_ends_its_program(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybrid_runtime.image.layer.LARGEST_UNPACKED", 1 << 20)
    bomb = make(zstd(tar(member("x", bytes(64 << 20)))))
    ended: list[int | None] = []
    close = zstd_program.ZstdProgram.close

    def noted(program: zstd_program.ZstdProgram) -> None:
        close(program)
        ended.append(program.process.returncode)

    monkeypatch.setattr(zstd_program.ZstdProgram, "close", noted)
    with pytest.raises(Failure, match="unpack to more than"):
        bomb.entries(Limits())
    # Nothing of it is left, not even a zombie.
    assert ended == [-9]


class ZstdDouble:
    """Stands for compression.zstd of Python 3.14: its packed form is the magic number, then the bytes as they are."""

    class ZstdError(Exception):
        pass

    class ZstdFile:
        def __init__(self, packed: io.BytesIO) -> None:
            self.packed = packed
            packed.read(len(ZSTD_MAGIC))

        def read(self, count: int) -> bytes:
            data = self.packed.read(count)
            if b"damage" in data:
                raise ZstdDouble.ZstdError("damage in the frame")
            return data


def test_zstd_where_the_interpreter_has_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "compression", ModuleType("compression"))
    monkeypatch.setitem(sys.modules, "compression.zstd", ZstdDouble)
    plain = tar(member("x", b"firmware"))
    layer = make(ZSTD_MAGIC + plain, plain)
    [entry] = layer.entries(Limits())
    stream = io.BytesIO()
    layer.extract(entry.offset, entry.size, stream.write)
    assert stream.getvalue() == b"firmware"
    with pytest.raises(Failure, match="is no tar: damage in the frame"):
        make(ZSTD_MAGIC + tar(member("x", b"damage"))).entries(Limits())


@pytest.mark.parametrize("packed", [True, False])
def test_what_is_not_what_it_was_is_refused(make: Make, tmp_path: Path, packed: bool) -> None:
    plain = tar(member("x", b"firmware"))
    layer = make(gzip.compress(plain) if packed else plain, plain)
    offset = layer.entries(Limits())[0].offset
    path = tmp_path / layer.blob.path
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(Failure, match="has the digest"):
        layer.entries(Limits())
    with pytest.raises(Failure, match="has the digest"):
        layer.extract(offset, 8, lambda _: None)
    path.write_bytes(data + b"x")
    with pytest.raises(Failure, match=f"has {len(data) + 1} bytes, not {len(data)}"):
        layer.entries(Limits())


def test_another_content_than_the_configuration_says(make: Make) -> None:
    with pytest.raises(Failure, match="unpacked layer"):
        make(gzip.compress(tar(member("x"))), tar(member("y"))).entries(Limits())


def test_bombs(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "LARGEST_UNPACKED", 1 << 20)
    plain = tar(member("x", bytes(1 << 20)))
    bomb = make(gzip.compress(plain), plain)
    assert bomb.blob.size is not None
    assert bomb.blob.size < 5000
    with pytest.raises(Failure, match="more than 1048576 bytes"):
        bomb.entries(Limits())
    # Behind the end of the tar, where no member is.
    hidden = make(gzip.compress(tar() + bytes(1 << 20)))
    with pytest.raises(Failure, match="more than 1048576 bytes"):
        hidden.entries(Limits())
    shared = Limits()
    half = tar(member("x", bytes(600_000)))
    make(half).entries(shared)
    with pytest.raises(Failure, match="more than 1048576 bytes"):
        make(half).entries(shared)


def test_many_entries(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_stream, "MOST_ENTRIES", 10)
    make(tar(*(member(str(number)) for number in range(10)))).entries(Limits())
    with pytest.raises(Failure, match="more than 10 entries"):
        make(tar(*(member(str(number)) for number in range(11)))).entries(Limits())


def test_long_names_and_folders_without_entries_are_counted(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_stream, "MOST_ENTRIES", 10)
    tree_of(make, [member("/".join("123456789"))])
    with pytest.raises(Failure, match="the image has more than 10 entries"):
        tree_of(make, [member("a"), member("/".join("1234567890"))])
    monkeypatch.setattr(tar_stream, "MOST_NAME_BYTES", 100)
    with pytest.raises(Failure, match="the names in the layer are longer than 100 bytes"):
        tree_of(make, [member("a" * 60), member("b", kind=LINK, link="c" * 60)])


def test_a_header_takes_no_gigabyte(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar_stream, "LARGEST_HEADER", 1 << 16)
    huge = tarfile.TarInfo("x")
    huge.pax_headers = {"comment": "x" * (1 << 17)}
    with pytest.raises(Failure, match="a header of more than 65536 bytes"):
        make(tar((huge, b""))).entries(Limits())


def raw_header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    header = bytearray(512)
    header[: len(name)] = name
    header[124 : 124 + len(size)] = size
    header[156:157] = kind
    header[257:263] = b"ustar\0"
    header[148:156] = b" " * 8
    header[148:155] = b"%06o\0" % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [b"0", b"7", b"x", b"L", b"K", b"S", b"g"])
@pytest.mark.parametrize("size", [b"\xff" * 12, b"\xff" * 10 + b"\xfc\0", b"\x80" + b"\x7f" * 11, b"77777777777\0"])
def test_sizes_that_lead_nowhere(make: Make, kind: bytes, size: bytes) -> None:
    with pytest.raises(Failure):
        make(raw_header(b"x", size, kind) + bytes(2048)).entries(Limits())


class Zeroes:
    """A source without end."""

    def __init__(self) -> None:
        self.passed: list[int] = []

    def take(self, count: int) -> bytes:
        return bytes(count)

    def pass_over(self, count: int) -> None:
        self.passed.append(count)


def test_a_stream_goes_forward_only() -> None:
    source = Zeroes()
    stream = tar_stream.TarStream(source, "layer")
    stream.read(512)
    stream.seek(512)
    stream.seek(2048)
    with pytest.raises(Failure, match="a header that leads backwards"):
        stream.seek(2047)
    assert (source.passed, stream.tell()) == ([0, 1536], 2048)


def test_damage_is_no_end(make: Make) -> None:
    whole = tar(member("a", b"a"), member("b", b"b"))
    damaged = bytearray(whole)
    damaged[1024 + 3] ^= 0xFF
    for data in (bytes(damaged), whole[:1300], whole[:1200] + b"x" * 100, b"x" * 1000, b""):
        with pytest.raises(Failure):
            make(data).entries(Limits())
    with pytest.raises(Failure, match="no tar"):
        make(gzip.compress(whole)[:-4]).entries(Limits())
    with pytest.raises(Failure, match="no tar"):
        make(gzip.compress(whole) + b"more").entries(Limits())
    with pytest.raises(Failure, match="no tar"):
        make(b"\x1f\x8b\x08" + zlib.compress(whole)).entries(Limits())
