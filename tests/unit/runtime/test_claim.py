"""Who owns a processor, and how what a dead owner left is undone."""

import json
import os
import posix
import subprocess
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hybrid_runtime.container
import hybrid_runtime.firmware
from hybrid_runtime.container.claim import (
    Claim,
    DamagedJournal,
    Journal,
    journal_path,
    journaled_devices,
    read_journal,
    take_claim,
    torn_journals,
)
from hybrid_runtime.container.holder import holder, is_holder
from hybrid_runtime.container.holder_refusal import held_by_other
from hybrid_runtime.container.reclaim import reclaim
from hybrid_runtime.container.record import Owner
from hybrid_runtime.container.undo import undo_leftovers
from hybrid_runtime.system.durable_file import remove_file
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.process_identity import start_time
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.child_process import in_child
from tests.unit.runtime.command_runner import Command, attempt
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

DEVICE = "remoteproc0"
FIRMWARE = "fw-20261122T043250Z-0123abcd89abcdef"


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


def claim_of(system: SystemPaths) -> Claim:
    claim = take_claim(system, DEVICE)
    assert claim is not None
    return claim


def journal_of(double: RemoteprocDouble, *, alive: bool = False) -> Journal:
    """Of a holder that has installed and started a firmware."""
    journal = Journal("/root", "motor")
    journal.firmware_name = FIRMWARE
    journal.firmware_file = str(double.firmware_folder / FIRMWARE)
    journal.recovery_before = "enabled"
    journal.coredump_before = "disabled"
    if alive:
        journal.pid = os.getpid()
        journal.pid_start_time = start_time(os.getpid()) or 0
    return journal


def started(double: RemoteprocDouble, core: ProcessorDouble) -> None:
    (double.firmware_folder / FIRMWARE).write_bytes(b"firmware")
    core.write("firmware", FIRMWARE)
    core.write("recovery", "disabled")
    core.start_from_outside()


def test_one_holder(system: SystemPaths, double: RemoteprocDouble) -> None:
    claim = claim_of(system)
    claim.write_journal(journal_of(double, alive=True))
    assert take_claim(system, DEVICE) is None
    assert holder(system, DEVICE) == "motor"
    failure = held_by_other(system, DEVICE, "core0")
    assert failure.message == "processor `core0` (remoteproc0) is held by container `motor` (root `/root`)"
    assert "hybrid-runtime --root /root kill motor" in failure.remedy
    claim.close()
    again = claim_of(system)
    again.clear_journal()
    again.close()
    assert double.claims.stat().st_mode & 0o777 == 0o700
    assert (double.claims / DEVICE).stat().st_mode & 0o777 == 0o600


def test_lock_is_shared_over_a_fork_and_ends_with_the_last(system: SystemPaths, double: RemoteprocDouble) -> None:
    claim = claim_of(system)
    claim.write_journal(journal_of(double, alive=True))
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[claim.descriptor]) as child:
        claim.close()
        # The child still holds it.
        assert take_claim(system, DEVICE) is None
        assert child.stdin is not None
        child.stdin.close()
    claim_of(system).close()


def test_descriptor_of_the_lock_is_not_inherited_by_programs(system: SystemPaths) -> None:
    claim = claim_of(system)
    assert not os.get_inheritable(claim.descriptor)
    claim.close()


def test_journal_comes_back(system: SystemPaths, double: RemoteprocDouble) -> None:
    claim = claim_of(system)
    journal = journal_of(double)
    journal.shutdown_on_release = True
    (double.claims / f"{DEVICE}.journal.tmp").write_text("of a writer that was killed")
    claim.write_journal(journal)
    found = read_journal(system, DEVICE)
    assert found is not None
    assert found.__dict__ == journal.__dict__
    assert found.belongs_to(Owner("/root", "motor"))
    assert not found.belongs_to(Owner("/root", "other"))
    assert not found.belongs_to(Owner("/other", "motor"))
    assert double.journals() == [f"{DEVICE}.journal"]
    claim.clear_journal()
    claim.clear_journal()
    assert read_journal(system, DEVICE) is None
    claim.close()


@given(
    st.dictionaries(st.sampled_from(sorted(Journal().__dict__)), st.none() | st.integers() | st.text() | st.booleans())
)
def test_journals_with_any_fields(values: dict[str, object]) -> None:
    """Read with every field of its type, or damaged: never half believed."""
    import tempfile

    with tempfile.TemporaryDirectory() as sysroot:
        system = SystemPaths(sysroot)
        Path(system.claims).mkdir(parents=True)
        Path(journal_path(system, DEVICE)).write_text(json.dumps(values))
        journal = attempt(lambda: read_journal(system, DEVICE), DamagedJournal)
        if isinstance(journal, DamagedJournal):
            return
        assert journal is not None
        assert journal.identifier
        for field, default in Journal().__dict__.items():
            assert getattr(journal, field) == values.get(field, default)
            assert type(getattr(journal, field)) is type(default)


DAMAGES = [
    *("", "{", "[]", "\xff", "{}", '{"identifier": 3}'),
    '{"identifier": "motor", "firmware_file": "/etc/passwd"}',
    '{"identifier": "motor", "firmware_file": ""}x',
    '{"identifier": "motor", "pid": true}',
]


@pytest.mark.parametrize("text", DAMAGES)
def test_damaged_journal(system: SystemPaths, double: RemoteprocDouble, text: str) -> None:
    claim_of(system).close()
    Path(journal_path(system, DEVICE)).write_text(text, encoding="latin-1")
    with pytest.raises(DamagedJournal, match=r"is damaged: .*doctor --repair"):
        read_journal(system, DEVICE)
    assert holder(system, DEVICE) == ""
    assert journaled_devices(system, Owner("/root", "motor")) == []
    assert double.journals() == [f"{DEVICE}.journal"]


@pytest.mark.parametrize("text", DAMAGES)
def test_damaged_journal_of_an_offline_core_is_set_aside(system: SystemPaths, core: ProcessorDouble, text: str) -> None:
    claim = claim_of(system)
    path = Path(journal_path(system, DEVICE))
    path.write_text(text, encoding="latin-1")
    undo_leftovers(claim)
    assert read_journal(system, DEVICE) is None
    assert path.with_name(f"{path.name}.damaged").read_text(encoding="latin-1") == text
    assert core.state == "offline"
    claim.close()


@pytest.mark.parametrize(
    ("name", "state"),
    [
        (FIRMWARE, "offline"),
        (FIRMWARE.replace("0123abcd", "fedcba98"), "running"),
        ("theirs.elf", "running"),
    ],
)
def test_damaged_journal_of_a_core_that_runs(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble, name: str, state: str
) -> None:
    """Stopped when its firmware has a name that only this runtime gives, in this boot; left alone otherwise."""
    (double.firmware_folder / name).write_bytes(b"firmware")
    core.write("firmware", name)
    core.start_from_outside()
    claim = claim_of(system)
    Path(journal_path(system, DEVICE)).write_text("{")
    undo_leftovers(claim)
    assert core.state == state
    assert read_journal(system, DEVICE) is None
    claim.close()


@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe", "folder"])
def test_journal_that_is_no_file(system: SystemPaths, core: ProcessorDouble, tmp_path: Path, kind: str) -> None:
    """Whoever shares the claims could put it there: a pipe to have root wait, a link to have it read what is secret."""
    claim = claim_of(system)
    path = Path(journal_path(system, DEVICE))
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        (tmp_path / "secret").write_text(json.dumps(Journal("/root", "motor").__dict__))
        path.symlink_to(tmp_path / "secret" if kind == "link" else tmp_path / "nowhere")
    with pytest.raises(DamagedJournal, match="is damaged"):
        read_journal(system, DEVICE)
    undo_leftovers(claim)
    assert read_journal(system, DEVICE) is None
    assert core.state == "offline"
    claim.close()


def test_damaged_journal_of_a_holder_that_lives(system: SystemPaths) -> None:
    claim = claim_of(system)
    path = Path(journal_path(system, DEVICE))
    path.write_text("{")
    assert take_claim(system, DEVICE) is None
    assert "is held by another command" in held_by_other(system, DEVICE, "core0").message
    reclaim(system, DEVICE, Owner("/root", "motor"))
    assert path.read_text() == "{"
    claim.close()


def test_deleting_gets_past_a_damaged_journal(system: SystemPaths) -> None:
    claim_of(system).close()
    path = Path(journal_path(system, DEVICE))
    path.write_text("{")
    reclaim(system, DEVICE, Owner("/root", "motor"))
    assert not path.exists()


def test_undo_of_a_dead_holder(system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble) -> None:
    started(double, core)
    core.start_from_outside()
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    undo_leftovers(claim)
    assert (core.state, core.stops, core.read("recovery")) == ("offline", 2, "enabled")
    assert double.installed() == double.journals() == []
    undo_leftovers(claim)
    claim.close()


def test_undo_leaves_a_core_that_is_not_ours(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble
) -> None:
    started(double, core)
    core.write("firmware", "theirs")
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    undo_leftovers(claim)
    assert (core.state, core.stops) == ("running", 0)
    assert double.installed() == double.journals() == []
    claim.close()


def test_undo_that_fails_keeps_the_journal(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    started(double, core)
    core.refuses_to_stop = True
    monkeypatch.setattr("hybrid_runtime.processor.remoteproc.STOP_SECONDS", 0.05)
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    with pytest.raises(Failure, match="is still"):
        undo_leftovers(claim)
    assert (double.installed(), double.journals()) == ([FIRMWARE], [f"{DEVICE}.journal"])
    claim.close()


def test_undo_after_the_processor_has_vanished(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble
) -> None:
    started(double, core)
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    core.vanish()
    assert journaled_devices(system, Owner("/root", "motor")) == [DEVICE]
    undo_leftovers(claim)
    assert double.installed() == double.journals() == []
    claim.close()


def test_undo_is_for_one_container(system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble) -> None:
    started(double, core)
    claim = claim_of(system)
    claim.write_journal(journal_of(double, alive=True))
    # Held by another: left alone, whoever asks.
    reclaim(system, DEVICE, Owner("/root", "motor"))
    claim.close()
    reclaim(system, DEVICE, Owner("/root", "other"))
    reclaim(system, DEVICE, Owner("/elsewhere", "motor"))
    assert (core.state, double.installed()) == ("running", [FIRMWARE])
    reclaim(system, DEVICE, Owner("/root", "motor"))
    assert (core.state, double.installed()) == ("offline", [])


def test_claims_that_cannot_be_kept(system: SystemPaths, double: RemoteprocDouble) -> None:
    double.claims.write_bytes(b"a file in the way")
    with pytest.raises(Failure, match="cannot open the claim"):
        take_claim(system, DEVICE)


@pytest.mark.parametrize("exists", [True, False])
def test_link_in_place_of_the_lock(system: SystemPaths, double: RemoteprocDouble, tmp_path: Path, exists: bool) -> None:
    victim = tmp_path / "victim"
    if exists:
        victim.touch()
    double.claims.mkdir()
    (double.claims / DEVICE).symlink_to(victim)
    with pytest.raises(Failure, match="cannot open the claim"):
        take_claim(system, DEVICE)
    assert victim.exists() is exists


def test_journal_on_a_full_disk(system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = claim_of(system)
    claim.write_journal(journal_of(double))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(posix, "fsync", full)
    other = journal_of(double)
    other.identifier = "next"
    with pytest.raises(Failure, match="no space left on device"):
        claim.write_journal(other)
    found = read_journal(system, DEVICE)
    assert found is not None
    assert found.identifier == "motor"
    assert double.journals() == [f"{DEVICE}.journal"]
    claim.close()


@pytest.mark.parametrize(
    ("mode", "group", "files"), [(0o700, 0, 0o600), (0o2770, 54322, 0o660), (0o3770, 54322, 0o660), (0o750, 0, 0o600)]
)
def test_claims_are_shared_with_the_group_of_their_folder(
    *, system: SystemPaths, double: RemoteprocDouble, mode: int, group: int, files: int
) -> None:
    """If that may write there. What root makes stays root's."""
    if os.geteuid() != 0:
        pytest.skip("giving folders away takes root")
    double.claims.mkdir()
    os.chown(double.claims, 54321, 54322)
    double.claims.chmod(mode)
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    claim.write_journal(journal_of(double))
    for name in (DEVICE, f"{DEVICE}.journal"):
        facts = (double.claims / name).stat()
        assert (facts.st_uid, facts.st_gid, facts.st_mode & 0o7777) == (0, group, files), name
    claim.close()


@pytest.mark.parametrize("mode", [0o2770, 0o3770])
def test_a_hard_link_among_the_claims_gives_nothing_away(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, tmp_path: Path, mode: int
) -> None:
    """Where fs.protected_hardlinks is 0, whoever shares the claims can name any file in them."""
    if os.geteuid() != 0:
        pytest.skip("giving folders away takes root")
    victim = tmp_path / "victim"
    victim.write_text("secret")
    victim.chmod(0o600)
    double.claims.mkdir()
    os.chown(double.claims, 54321, 54322)
    double.claims.chmod(mode)
    for name in (DEVICE, f"{DEVICE}.journal", f"{DEVICE}.journal.tmp", f"{DEVICE}.journal.damaged"):
        os.link(victim, double.claims / name)
    before = victim.stat()
    command.create(firmware, "motor")
    command.run("doctor", "--repair", code=None)
    command.run("delete", "--force", "motor")
    after = victim.stat()
    assert (after.st_uid, after.st_gid, after.st_mode) == (before.st_uid, before.st_gid, before.st_mode)
    assert victim.read_text() == "secret"
    assert core.state == "offline"


def as_user(act: Callable[[], object], *, user: int = 54321, group: int = 54322) -> str:
    """In a process of that user; a failure as its text."""

    def act_as_user() -> object:
        # The user may not be able to read the checkout, and some modules are loaded late.
        for package in (hybrid_runtime.container, hybrid_runtime.firmware):
            for module in iter_modules(package.__path__, f"{package.__name__}."):
                import_module(module.name)
        os.setgroups([group])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
        try:
            return act()
        except Failure as failure:
            return failure

    return in_child(act_as_user)


@pytest.mark.alone
def test_root_and_a_member_take_turns(system: SystemPaths, double: RemoteprocDouble, tmp_path: Path) -> None:
    """As runtime/system has the folder: root's, sticky, writable for the group."""
    if os.geteuid() != 0:
        pytest.skip("giving folders away takes root")

    def hold() -> object:
        claim = claim_of(system)
        journal = Journal("/home/user", "theirs")
        claim.write_journal(journal)
        claim.clear_journal()
        claim.write_journal(journal)
        return "held"

    def replace_root_s() -> object:
        path = Path(journal_path(system, DEVICE))
        found = [attempt(path.unlink, OSError), attempt(lambda: path.rename(f"{path}.damaged"), OSError)]
        return [getattr(error, "errno", "done") for error in found]

    for folder in (tmp_path, *tmp_path.parents):
        if Path(tempfile.gettempdir()) in folder.parents:
            folder.chmod(0o755)
    double.claims.mkdir()
    os.chown(double.claims, 0, 54322)
    double.claims.chmod(0o3770)
    claim = claim_of(system)
    claim.write_journal(journal_of(double, alive=True))
    assert as_user(hold).startswith("AssertionError")
    assert as_user(lambda: holder(system, DEVICE)) == "motor"
    assert as_user(replace_root_s) == "[1, 1]"
    claim.clear_journal()
    claim.close()
    # The lock is root's, and the member's to hold.
    assert as_user(hold) == "held"
    assert (double.claims / f"{DEVICE}.journal").stat().st_uid == 54321
    claim = claim_of(system)
    undo_leftovers(claim)
    assert double.journals() == []
    # What root's dead have left is root's to undo.
    claim.write_journal(journal_of(double))
    claim.close()
    assert "it is not permitted (call as root)" in as_user(lambda: undo_leftovers(claim_of(system)))
    # And a lock that the member has made is root's to hold, whatever fs.protected_regular says.
    (double.claims / DEVICE).unlink()
    (double.claims / f"{DEVICE}.journal").unlink()
    assert as_user(hold) == "held"
    assert (double.claims / DEVICE).stat().st_uid == 54321
    claim_of(system).close()


@pytest.mark.parametrize("device", ["watchdog", "remoteproc", "remoteproc0/../../dev/sda", "remoteproc٣", ""])
def test_only_processors_are_claimed(system: SystemPaths, double: RemoteprocDouble, device: str) -> None:
    with pytest.raises(Failure, match="is no processor's claim"):
        take_claim(system, device)
    assert not double.claims.exists()


def test_journals_of_what_is_no_processor(
    command: Command, core: ProcessorDouble, system: SystemPaths, double: RemoteprocDouble, firmware: Path
) -> None:
    """`doctor --repair` would open /dev/watchdog, and closing that reboots."""
    opened = double.sysroot / "dev/watchdog"
    opened.parent.mkdir()
    os.mkfifo(opened)
    double.claims.mkdir(parents=True)
    journal = Journal(str(double.root), "motor")
    journal.shutdown_on_release = True
    for name in ("watchdog", "watchdog.journal", "watchdog.journal.tmp", "watchdog.journal.damaged", "x\ny.damaged"):
        (double.claims / name).write_text(json.dumps(journal.__dict__))
    before = sorted(path.name for path in double.claims.iterdir())
    assert journaled_devices(system, Owner(str(double.root), "motor")) == torn_journals(system) == []
    outcome = command.run("doctor", "--repair", code=None)
    assert "watchdog" not in outcome.stdout
    assert "x\ny" not in outcome.stdout
    command.create(firmware, "motor")
    command.run("delete", "--force", "motor")
    assert sorted(path.name for path in double.claims.iterdir() if not path.name.startswith(DEVICE)) == before
    assert core.state == "offline"


STRANGE: dict[str, list[object]] = {
    "identifier": ["", "a b", "x\0", "\ud800", "$(reboot)", "a/b", "..", "x" * 256],
    "created": ["\x1b[2J", "\n", "\ud800", 7],
    "root": ["run", "/run\0", "/\ud800", "/a\nb", "/a\x1b[2J", "/run/../etc"],
    "pid": [-1, 1 << 40, True],
    "pid_start_time": [-1, 1 << 70],
    "firmware_name": ["modem.bin", "../" + FIRMWARE, f"\0{FIRMWARE}", "\ud800"],
    "firmware_file": ["/etc/passwd", f"/etc/{FIRMWARE}", f"/lib/firmware/../../etc/{FIRMWARE}", FIRMWARE, "/\ud800"],
    "recovery_before": ["recover", "enabled\n", "\0"],
    "coredump_before": ["on", "\ud800"],
    "cgroup_folders": [["/a"], ["a/../../b"], [""], ["."], [3], ["a\0"], ["\ud800"], [[]]],
    "cgroup_before": ["..", "/a/../b", "a", "/\ud800"],
    "shutdown_on_release": ["yes", 1],
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in STRANGE.items() for value in values])
def test_a_journal_of_a_stranger_is_not_believed(
    system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble, field: str, value: object
) -> None:
    """And it blocks nothing: it is set aside, and what can be undone without it is."""
    started(double, core)
    claim = claim_of(system)
    path = Path(journal_path(system, DEVICE))
    values = {**journal_of(double).__dict__, field: value}
    path.write_text(json.dumps(values))
    if os.geteuid() == 0:
        os.chown(path, 54321, 54321)
    with pytest.raises(DamagedJournal, match="is damaged"):
        read_journal(system, DEVICE)
    assert journaled_devices(system, Owner("/root", "motor")) == []
    undo_leftovers(claim)
    assert (core.state, read_journal(system, DEVICE)) == ("offline", None)
    assert json.loads(path.with_name(f"{path.name}.damaged").read_text()) == values
    claim.close()


def test_every_field_of_a_journal_is_tried() -> None:
    assert STRANGE.keys() == Journal().__dict__.keys()


def test_one_s_own_journal_may_name_a_folder_that_the_kernel_was_told_of_before(
    system: SystemPaths, double: RemoteprocDouble, tmp_path: Path
) -> None:
    """firmware_class.path can change while a container lives."""
    claim = claim_of(system)
    journal = journal_of(double)
    journal.firmware_file = str(tmp_path / FIRMWARE)
    claim.write_journal(journal)
    (tmp_path / FIRMWARE).write_bytes(b"")
    found = read_journal(system, DEVICE)
    assert found is not None
    undo_leftovers(claim)
    assert not (tmp_path / FIRMWARE).exists()
    claim.close()


@pytest.mark.parametrize(
    ("journaled", "asked", "belongs"),
    [("one", "one", True), ("one", "two", False), ("", "two", True), ("one", "", True), ("", "", True)],
)
def test_a_journal_tells_containers_of_one_id_apart(journaled: str, asked: str, belongs: bool) -> None:
    """One of an older version does not say when its container was created."""
    assert Journal("/root", "motor", journaled).belongs_to(Owner("/root", "motor", asked)) is belongs


@pytest.mark.parametrize("name", ["journal", "journal.tmp", "journal.damaged"])
def test_folders_among_the_claims_block_nothing(
    command: Command, core: ProcessorDouble, double: RemoteprocDouble, firmware: Path, name: str
) -> None:
    (double.claims / f"{DEVICE}.{name}").mkdir(parents=True)
    (double.claims / f"{DEVICE}.{name}/inside").touch()
    if name == "journal.damaged":
        (double.claims / f"{DEVICE}.journal").write_text("{")
    command.create(firmware, "motor")
    command.run("start", "motor")
    command.run("delete", "--force", "motor")
    assert core.state == "offline"
    assert double.installed() == double.containers() == []


def test_a_root_in_a_command_to_paste(system: SystemPaths) -> None:
    claim = claim_of(system)
    claim.write_journal(Journal("/a $(reboot) b's", "motor"))
    expected = "`hybrid-runtime --root '/a $(reboot) b'\\''s' kill motor`"
    assert held_by_other(system, DEVICE, "core0").remedy.startswith(expected)
    claim.close()


def test_a_folder_that_cannot_be_followed(
    system: SystemPaths, double: RemoteprocDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a user namespace the owner may have no number: then the files stay ours."""
    double.claims.mkdir()
    double.claims.chmod(0o770)

    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(posix, "fchown", refuse)
    monkeypatch.setattr(posix, "fchmod", refuse)
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    assert read_journal(system, DEVICE) is not None
    claim.close()


def test_removing_what_is_not_there_from_a_read_only_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """unlink(2) says EROFS there before it looks."""

    def refuse(path: str) -> None:
        raise OSError(30, "Read-only file system", path)

    monkeypatch.setattr(posix, "unlink", refuse)
    remove_file(str(tmp_path / "absent"))
    (tmp_path / "there").symlink_to("nowhere")
    with pytest.raises(OSError, match="Read-only"):
        remove_file(str(tmp_path / "there"))


def test_a_journal_has_nobody_killed_but_the_holder(
    command: Command, system: SystemPaths, double: RemoteprocDouble, core: ProcessorDouble
) -> None:
    """The claims may be shared with a service user, who must not have root kill any process by naming it."""
    bystander = subprocess.Popen(["/bin/sleep", "60"])
    try:
        claim = claim_of(system)
        journal = journal_of(double)
        journal.root, journal.identifier = str(double.root), "motor"
        journal.pid, journal.pid_start_time = bystander.pid, start_time(bystander.pid) or 0
        claim.write_journal(journal)
        assert is_holder(system, DEVICE, os.getpid())
        claim.close()
        assert not is_holder(system, DEVICE, bystander.pid)
        (double.root / "motor").mkdir(parents=True)
        command.run("delete", "--force", "motor")
        assert bystander.poll() is None
        assert double.leftovers() == core.boots == []
    finally:
        bystander.kill()
        bystander.wait()


def test_containers_of_another_user_are_that_user_s_to_stop(system: SystemPaths, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("giving folders away takes root")
    claim = claim_of(system)
    claim.write_journal(Journal(str(tmp_path), "motor"))
    stop = f"`hybrid-runtime --root {tmp_path} kill motor`"
    assert held_by_other(system, DEVICE, "core0").remedy.startswith(stop)
    os.chown(tmp_path, 54321, 54321)
    assert held_by_other(system, DEVICE, "core0").remedy.startswith(f"as user 54321, {stop}")
    claim.close()


@pytest.mark.parametrize("field", [*sorted(set(Journal().__dict__) - {"identifier"}), "from the future"])
def test_a_journal_of_another_version(double: RemoteprocDouble, system: SystemPaths, field: str) -> None:
    """A field that it lacks has its default, one that it has more is passed over."""
    claim = claim_of(system)
    claim.write_journal(journal_of(double))
    path = Path(journal_path(system, DEVICE))
    values = json.loads(path.read_text())
    if values.pop(field, None) is None:
        values[field] = "unheard of"
    path.write_text(json.dumps(values))
    found = read_journal(system, DEVICE)
    assert found is not None
    expected = journal_of(double)
    if field in expected.__dict__:
        setattr(expected, field, getattr(Journal(), field))
    assert found.__dict__ == expected.__dict__
    undo_leftovers(claim)
    claim.close()
    assert double.journals() == []
