"""What becomes of a status while its container changes, and by what its supervisor is found."""

import os

import pytest

from hybrid_runtime.container.claim import Claim, Journal, take_claim
from hybrid_runtime.container.record import CREATED as CREATED_PHASE
from hybrid_runtime.container.record import CREATING, STARTED, Record
from hybrid_runtime.container.status import (
    BEING_CREATED,
    CREATED,
    RUNNING,
    STOPPED,
    Status,
    decide,
    has_supervisor,
    load_status,
    open_supervisor,
    status_of,
)
from hybrid_runtime.container.store import Store
from hybrid_runtime.processor.remoteproc import Remoteproc
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.process_identity import start_time
from hybrid_runtime.system.system_paths import SystemPaths
from tests.unit.runtime.remoteproc_double import ProcessorDouble, RemoteprocDouble

ROOT = "/root"
FIRMWARE = "fw-20261122T043250Z-0123abcd89abcdef"
# No process has it (PID_MAX_LIMIT of linux/threads.h).
NOBODY = 1 << 22


@pytest.fixture
def system(double: RemoteprocDouble) -> SystemPaths:
    return SystemPaths(str(double.sysroot))


def record_of(phase: str, pid: int = NOBODY, device: str = "") -> Record:
    """As it is read: its phase is no object of the module's."""
    record = Record("motor", "/bundle", "")
    record.phase, record.pid, record.device, record.firmware_name = "".join([*phase]), pid, device, FIRMWARE
    record.pid_start_time = start_time(pid) or 1
    return record


def claimed(system: SystemPaths, device: str, pid: int = NOBODY) -> Claim:
    """Held by this process, whatever its journal says."""
    claim = take_claim(system, device)
    assert claim is not None
    journal = Journal(ROOT, "motor")
    journal.pid, journal.pid_start_time = pid, start_time(pid) or 1
    claim.write_journal(journal)
    return claim


@pytest.mark.parametrize(
    ("first", "second", "status", "looks"),
    [
        # a create that has ended meanwhile, whose supervisor lives
        (record_of(CREATING), record_of(CREATED_PHASE, os.getpid()), CREATED, 2),
        (record_of(CREATING), record_of(CREATING), STOPPED, 2),
        (record_of(CREATING, os.getpid()), record_of(CREATED_PHASE), BEING_CREATED, 1),
        (record_of(STARTED), record_of(CREATED_PHASE, os.getpid()), STOPPED, 1),
        (record_of(CREATED_PHASE), record_of(CREATED_PHASE, os.getpid()), STOPPED, 1),
    ],
)
def test_a_dead_creator_s_record_is_read_once_more(
    system: SystemPaths, first: Record, second: Record, status: Status, looks: int
) -> None:
    records = iter([first, second])
    loaded: list[Record] = []

    def load() -> Record:
        loaded.append(next(records))
        return loaded[-1]

    assert load_status(Store(system, ROOT), load) == (loaded[-1], status)
    assert len(loaded) == looks


def test_a_status_is_that_of_the_core(system: SystemPaths, core: ProcessorDouble, double: RemoteprocDouble) -> None:
    record = record_of(STARTED, os.getpid(), core.device)
    (double.firmware_folder / FIRMWARE).write_bytes(b"firmware")
    core.write("firmware", FIRMWARE)
    assert status_of(Store(system, ROOT), record) is STOPPED
    core.start_from_outside()
    assert status_of(Store(system, ROOT), record) is RUNNING
    core.write("firmware", "another")
    assert status_of(Store(system, ROOT), record) is STOPPED


@pytest.mark.parametrize(("phase", "status"), [(CREATING, BEING_CREATED), (CREATED_PHASE, CREATED), (STARTED, STOPPED)])
def test_a_processor_that_has_vanished(system: SystemPaths, phase: str, status: Status) -> None:
    assert status_of(Store(system, ROOT), record_of(phase, os.getpid(), "remoteproc9")) is status


@pytest.mark.parametrize(("phase", "status"), [(CREATING, BEING_CREATED), (CREATED_PHASE, CREATED), (STARTED, RUNNING)])
def test_a_core_that_cannot_be_looked_at(
    system: SystemPaths, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch, phase: str, status: Status
) -> None:
    def refuse(self: Remoteproc, attribute: str) -> str:
        raise OSError(12, f"planted for {attribute} of {self.device}")

    monkeypatch.setattr(Remoteproc, "read", refuse)
    assert status_of(Store(system, ROOT), record_of(phase, os.getpid(), core.device)) is status


@pytest.mark.parametrize(("phase", "status"), [(CREATING, BEING_CREATED), (CREATED_PHASE, RUNNING), (STARTED, RUNNING)])
def test_a_state_that_has_no_name(
    system: SystemPaths, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch, phase: str, status: Status
) -> None:
    """As of a later kernel: the supervisor that lives will know what to make of it."""
    monkeypatch.setattr(Remoteproc, "read", lambda _, attribute: {"state": "resuming", "firmware": FIRMWARE}[attribute])
    assert status_of(Store(system, ROOT), record_of(phase, os.getpid(), core.device)) is status


def test_a_dead_supervisor_s_core_is_not_looked_at(
    system: SystemPaths, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Remoteproc, "read", lambda *_: pytest.fail("looked at"))
    assert status_of(Store(system, ROOT), record_of(STARTED, NOBODY, core.device)) is STOPPED


def test_a_supervisor_is_found_by_its_pid_or_by_the_claim(system: SystemPaths, core: ProcessorDouble) -> None:
    assert has_supervisor(Store(system, ROOT), record_of(STARTED, os.getpid()))
    assert not has_supervisor(Store(system, ROOT), record_of(STARTED))
    hidden = record_of(STARTED, NOBODY, core.device)
    assert not has_supervisor(Store(system, ROOT), hidden)
    claim = claimed(system, core.device)
    assert has_supervisor(Store(system, ROOT), hidden)
    assert not has_supervisor(Store(system, "/another"), hidden)
    claim.close()
    assert not has_supervisor(Store(system, ROOT), hidden)


def test_a_supervisor_is_opened_by_its_pid_or_by_the_journal(system: SystemPaths, core: ProcessorDouble) -> None:
    by_pid = open_supervisor(Store(system, ROOT), record_of(STARTED, os.getpid()))
    assert by_pid is not None
    by_pid.close()
    assert open_supervisor(Store(system, ROOT), record_of(STARTED)) is None
    hidden = record_of(STARTED, NOBODY, core.device)
    assert open_supervisor(Store(system, ROOT), hidden) is None
    claim = claimed(system, core.device, os.getpid())
    by_journal = open_supervisor(Store(system, ROOT), hidden)
    assert by_journal is not None
    by_journal.close()
    assert open_supervisor(Store(system, "/another"), hidden) is None
    claim.close()


def test_a_pid_that_is_found_needs_no_journal(
    system: SystemPaths, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_runtime.container.holder.open_holder", lambda *_: pytest.fail("asked"))
    process = open_supervisor(Store(system, ROOT), record_of(STARTED, os.getpid(), core.device))
    assert process is not None
    process.close()


def test_a_supervisor_whose_pid_is_not_to_be_seen(
    system: SystemPaths, core: ProcessorDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hybrid_runtime.container.holder.DYING_HOLDER_SECONDS", 0.0)
    claim = claimed(system, core.device)
    with pytest.raises(Failure, match="is not to be seen from here"):
        open_supervisor(Store(system, ROOT), record_of(STARTED, NOBODY, core.device))
    claim.close()


@pytest.mark.parametrize(
    ("phase", "core", "expected"),
    [
        ("creating", "running", BEING_CREATED),
        ("created", "offline", CREATED),
        ("created", "crashed", RUNNING),
        ("started", "crashed", RUNNING),
        ("started", "offline", RUNNING),
        ("started", "detached", STOPPED),
    ],
)
def test_words_are_compared_by_what_they_say(phase: str, core: str, expected: Status) -> None:
    """Those of a record and of the kernel are other objects than the names here."""
    read_phase, read_core = "".join([*phase]), "".join([*core])
    assert decide(alive=True, phase=read_phase, ours=True, core=read_core, kernel_recovers=True) is expected
