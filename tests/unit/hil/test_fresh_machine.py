"""What a fresh machine takes over of this one, and how it is made; machines themselves are made in tests/fresh."""

from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian.mirror import Mirror, Source
from tests.fresh.host_settings import own_folders, passed_on, pip_settings, readme_commands, variables
from tests.fresh.release import RELEASES, mmdebstrap_command, source_lines

DEBIAN = Mirror("http://m.example/debian", "http://m.example/debian-security")
BOOKWORM, TRIXIE, NOBLE = RELEASES


@pytest.mark.parametrize(
    ("listing", "variables"),
    [
        ("", {}),
        ("global.index-url='https://m.example/simple'\n", {"PIP_INDEX_URL": "https://m.example/simple"}),
        ("global.find-links='\\n/opt/a\\n/opt/b'\n", {"PIP_FIND_LINKS": "/opt/a /opt/b"}),
        # the environment before files, a command's section before that of all
        (":env:.cert='/a'\ninstall.cert='/b'\nglobal.cert='/c'\n", {"PIP_CERT": "/a"}),
        ("install.timeout='9'\nglobal.timeout='3'\n", {"PIP_TIMEOUT": "9"}),
        # what is installed, and how other commands behave
        ("global.constraint='/etc/pins'\nglobal.user='true'\ndownload.proxy='http://p'\nnonsense\n", {}),
    ],
)
def test_how_pip_reaches_indexes_is_taken_over(listing: str, variables: dict[str, str]) -> None:
    assert pip_settings(listing) == variables


def test_folders_that_pip_s_settings_name(tmp_path: Path) -> None:
    (tmp_path / "index/simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "own.pem").touch()
    settings = {
        "PIP_EXTRA_INDEX_URL": f"file://{tmp_path}/index/simple https://m.example/simple",
        "PIP_FIND_LINKS": f"{tmp_path}/wheels {tmp_path}/missing",
        "PIP_CERT": "/etc/ssl/certs/ca-certificates.crt",
    }
    assert own_folders(settings) == [tmp_path / "index", tmp_path / "wheels"]
    assert own_folders({"PIP_CERT": f"{tmp_path}/own.pem"}) == [tmp_path]


def test_variables_of_a_command() -> None:
    here = {
        "HTTPS_PROXY": "http://p:1",
        "no_proxy": "localhost",
        "HYBRID_HIL_PATIENCE": "3",
        "PATH": "/a",
        "SECRET": "x",
    }
    assert passed_on(here) == {name: here[name] for name in ("HTTPS_PROXY", "no_proxy", "HYBRID_HIL_PATIENCE")}
    given = variables(here, {"PIP_TIMEOUT": "9"})
    assert {"HTTPS_PROXY=http://p:1", "PIP_TIMEOUT=9", "CI=true", "HOME=/root"} <= set(given)
    assert not any("SECRET" in word or word == "PATH=/a" for word in given)


def test_the_readme_s_commands_are_found() -> None:
    assert readme_commands(
        "\n## Two commands\n\n    ./rig a b      # remark\n    ./rig c\nand\n## Next\n    ./rig d\n"
    ) == [
        "./rig a b",
        "./rig c",
    ]
    assert readme_commands((checkout_root() / "README.md").read_text()) == ["./rig demo", "./rig test"]


def test_debian_comes_from_this_machine_s_mirror() -> None:
    assert source_lines(TRIXIE, DEBIAN, []) == DEBIAN.lines("trixie")
    assert source_lines(TRIXIE, None, []) == []


def test_ubuntu_comes_from_an_archive_that_has_the_suite() -> None:
    sources = [
        Source("http://m.example/debian", "bookworm", ("main",)),
        Source("http://ppa.example/x", "noble", ("extra",)),
        Source("http://u.example/ubuntu", "noble", ("main", "universe")),
    ]
    assert source_lines(NOBLE, DEBIAN, sources) == [
        "deb http://u.example/ubuntu noble main universe",
        "deb http://u.example/ubuntu noble-updates main universe",
        "deb http://u.example/ubuntu noble-security main universe",
    ]
    assert source_lines(NOBLE, DEBIAN, sources[:2]) == []


def test_a_system_has_nothing_but_what_the_checkout_came_by() -> None:
    command = [str(word) for word in mmdebstrap_command(BOOKWORM, Path("/t"), Path("/apt.conf"), ["deb x"])]
    assert "--include=git,ca-certificates" in command
    assert command[-3:] == ["bookworm", "/t", "deb x"]
