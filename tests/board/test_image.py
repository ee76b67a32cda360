"""What a board boots is made of the same files whatever made the image: its kernel's configuration, its overlay, and
nothing at boot that nobody asked for."""

import gzip
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian.kernel import fragments_for
from hybrid_hil.image.debian.rootfs import OVERLAY
from hybrid_hil.image.fingerprint import files_below
from hybrid_hil.image.kconfig import lost_lines, merged
from hybrid_hil.plugin import ASSIGNMENT
from hybrid_hil.shell import Shell
from hybrid_hil.suite.assignment import inside

# What the tests call on a board beside POSIX's own commands.
PROGRAMS = ("awk", "busybox", "mkfifo", "pidof", "python3", "setsid", "sha256sum", "stat", "strace", "su", "timeout")


@pytest.fixture(scope="module")
def overlay() -> Path:
    return checkout_root() / OVERLAY


def test_kernel_has_every_line_of_the_fragments(shell: Shell, pytestconfig: pytest.Config) -> None:
    """With those of engines where the image has some. What is on another board than an emulated one is not known."""
    configuration = gzip.decompress(shell.get("/proc/config.gz")).decode()
    assignment = pytestconfig.stash[ASSIGNMENT]
    engines = inside(assignment.image()) if assignment.emulated else ()
    wanted = merged((checkout_root() / fragment).read_text() for fragment in fragments_for(engines))
    assert lost_lines(wanted, configuration) == []


def test_kernel_has_no_modules(shell: Shell) -> None:
    assert shell.run("ls /proc/modules", check=False).exit_status != 0


def test_overlay_is_on_the_board_as_it_is_in_the_checkout(shell: Shell, overlay: Path) -> None:
    files = [path for path in files_below(overlay) if not path.is_symlink()]
    assert len(files) > 5
    for path in files:
        assert shell.get(f"/{path.relative_to(overlay)}") == path.read_bytes(), path
    for path in files_below(overlay):
        if path.is_symlink():
            link = shell.run(["readlink", f"/{path.relative_to(overlay)}"]).stdout.strip()
            assert link == str(path.readlink())


def test_only_what_the_overlay_has_starts_at_boot(shell: Shell, overlay: Path) -> None:
    ours = sorted(path.name for path in (overlay / "etc/init.d").glob("S??*"))
    assert sorted(shell.run("cd /etc/init.d && ls -d S??*").stdout.split()) == ours


def test_root_logs_in_with_a_key_only(shell: Shell) -> None:
    """A hash that no password has (shadow(5)): neither an empty one, nor one somebody knows."""
    entries = [line.split(":") for line in shell.run(["cat", "/etc/shadow"]).stdout.splitlines()]
    assert {name: secret for name, secret, *_ in entries if not secret.startswith(("*", "!"))} == {}
    modes = shell.run("stat -c '%a %u' /root/.ssh /etc/dropbear/dropbear_ed25519_host_key").stdout.splitlines()
    assert modes == ["700 0", "600 0"]


def test_programs_that_tests_use_are_there(shell: Shell) -> None:
    missing = [name for name in PROGRAMS if shell.run(["which", name], check=False).exit_status != 0]
    assert missing == []
