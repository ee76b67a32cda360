"""The mirror this machine uses is found in whatever form apt knows it, and nobody else's repository is taken for it."""

from pathlib import Path

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.image.debian.mirror import Mirror, Source, choose, find_mirror, parse_deb822, parse_list, read_sources

DEB822 = """\
# Debian
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: trixie trixie-updates
# a comment in the middle
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: trixie-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: trixie
Components: main

Types: deb-src
URIs: http://sources.example/debian
Suites: trixie
Components: main
"""

LIST = """\
deb http://mirror.example/debian bookworm main contrib   # the archive
deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://secure.example/sec bookworm-security main
deb-src http://mirror.example/debian bookworm main
# deb http://off.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
"""


def test_reads_deb822() -> None:
    found = parse_deb822(DEB822)
    assert [(source.uri, source.suite) for source in found] == [
        ("http://mirror.example/debian", "trixie"),
        ("http://mirror.example/debian", "trixie-updates"),
        ("http://mirror.example/debian-security", "trixie-security"),
    ]
    assert found[0].components == ("main", "contrib")
    assert "debian-archive" in found[0].signed_by


def test_reads_one_line_sources() -> None:
    found = parse_list(LIST)
    assert [(source.uri, source.suite) for source in found] == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://secure.example/sec", "bookworm-security"),
        ("http://mirror.example/debian", "bookworm-updates"),
    ]
    assert found[0].components == ("main", "contrib")
    assert "debian-archive" in found[1].signed_by


def test_another_release_of_debian_names_the_mirror() -> None:
    expected = Mirror("http://mirror.example/debian", "http://mirror.example/debian-security")
    assert choose(parse_deb822(DEB822)) == expected


def test_security_archive_is_taken_as_configured() -> None:
    assert choose(parse_list(LIST)) == Mirror("http://mirror.example/debian", "http://secure.example/sec")


def test_security_archive_is_derived_when_there_is_none() -> None:
    sources = [source for source in parse_list(LIST) if "security" not in source.suite]
    mirror = choose(sources)
    assert mirror is not None
    assert mirror.security == "http://mirror.example/debian-security"


@pytest.mark.parametrize(
    "stranger",
    [
        Source("https://vendor.example/apt", "bookworm", ("main",)),
        Source("https://vendor.example/chat", "stable", ("main",)),
        Source("https://vendor.example/db", "bookworm-pgdg", ("main",)),
        Source("http://archive.example/ubuntu", "noble", ("main",)),
        Source("cdrom:[Debian]/", "bookworm", ("main",), "/usr/share/keyrings/debian-archive-keyring.gpg"),
    ],
    ids=lambda source: source.uri,
)
def test_strangers_are_not_taken_for_debian(stranger: Source) -> None:
    assert choose([stranger]) is None
    mirror = choose([stranger, *parse_list(LIST)])
    assert mirror is not None
    assert mirror.main == "http://mirror.example/debian"


def test_lines_cover_the_three_suites() -> None:
    assert Mirror("http://m.example/debian", "http://s.example/sec").lines("bookworm") == [
        "deb http://m.example/debian bookworm main",
        "deb http://m.example/debian bookworm-updates main",
        "deb http://s.example/sec bookworm-security main",
    ]


@pytest.mark.parametrize(
    ("value", "security"),
    [
        ("http://m.example/debian/", "http://m.example/debian-security"),
        ("file:///srv/debian http://s.example/sec/", "http://s.example/sec"),
    ],
)
def test_variable_wins(tmp_path: Path, value: str, security: str) -> None:
    (tmp_path / "sources.list").write_text(LIST)
    mirror = find_mirror({"HYBRID_HIL_DEBIAN_MIRROR": value}, tmp_path)
    assert mirror == Mirror(value.split(maxsplit=1)[0].rstrip("/"), security)


@pytest.mark.parametrize("value", ["m.example/debian", "http://a http://b http://c"])
def test_bad_variable_is_refused_with_its_value(tmp_path: Path, value: str) -> None:
    with pytest.raises(RigError, match="HYBRID_HIL_DEBIAN_MIRROR") as raised:
        find_mirror({"HYBRID_HIL_DEBIAN_MIRROR": value}, tmp_path)
    assert value in raised.value.message


def test_reads_the_whole_folder_but_not_what_apt_ignores(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d/debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d/other.list.disabled").write_text(LIST)
    (tmp_path / "sources.list").write_text("deb http://first.example/debian sid main\n")
    assert [source.suite for source in read_sources(tmp_path)] == [
        "sid",
        "trixie",
        "trixie-updates",
        "trixie-security",
    ]


def test_machine_without_debian_has_none(tmp_path: Path) -> None:
    assert find_mirror({}, tmp_path) is None
