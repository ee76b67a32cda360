"""What counts as left behind, and the script that removes it."""

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.health import Finding, cleaning, findings, ours, require_distinct

CLEAN = """processor 10000.r5f offline recovery=enabled coredump=disabled
processor 30000.r5f offline recovery=enabled coredump=disabled
firmware regulatory.db
"""
DIRTY = """processor 10000.r5f running recovery=disabled coredump=disabled
processor 30000.r5f offline recovery=enabled coredump=disabled
container c 1
claim remoteproc0
firmware regulatory.db
firmware x-1-2
process python3 123
"""


def test_a_board_as_it_was_has_no_findings() -> None:
    assert findings(CLEAN, CLEAN) == []


def test_everything_new_and_everything_gone_is_found() -> None:
    texts = [str(finding) for finding in findings(CLEAN, DIRTY)]
    assert texts == [
        "processor 10000.r5f running recovery=disabled coredump=disabled",
        "container c 1",
        "claim remoteproc0",
        "firmware x-1-2",
        "process python3 123",
        "no longer: processor 10000.r5f offline recovery=enabled coredump=disabled",
    ]


def test_cleaning_names_what_was_found_and_nothing_else() -> None:
    script = cleaning(CLEAN, findings(CLEAN, DIRTY))
    assert "/usr/bin/hybrid-runtime delete --force 'c 1'" in script
    assert "kill -9 123" in script
    assert "rm -f /lib/firmware/x-1-2\n" in script
    assert "regulatory.db" not in script
    assert "rm -f /run/hybrid-runtime-claims/remoteproc0" in script
    assert "echo enabled >$p/recovery" in script


def test_a_changed_search_path_is_no_firmware_file() -> None:
    found = [Finding("firmware path /elsewhere")]
    assert "/lib/firmware/path" not in cleaning(CLEAN, found)


SHARED = """processor m33 offline recovery=enabled coredump=disabled device=remoteproc0
processor dsp running recovery=enabled coredump=disabled device=remoteproc1
container mine
container theirs
claim remoteproc0
claim remoteproc1.journal
firmware somebody-s
firmware path /var/lib/firmware
process hybrid-runtime 11
process hybrid-runtime 77
process python3 99
"""
LISTED = [{"id": "mine", "pid": 11, "processor": "m33"}, {"id": "theirs", "pid": 77, "processor": "dsp"}]


def test_on_a_shared_board_only_what_is_ours_is_judged() -> None:
    assert ours(SHARED, ["m33"], LISTED).splitlines() == [
        "processor m33 offline recovery=enabled coredump=disabled device=remoteproc0",
        "container mine",
        "claim remoteproc0",
        "firmware path /var/lib/firmware",
        "process hybrid-runtime 11",
    ]


def test_two_processors_of_one_name_are_refused() -> None:
    twins = SHARED.replace("processor dsp", "processor m33")
    with pytest.raises(RigError, match=r"processors remoteproc0, remoteproc1 are all called `m33`"):
        require_distinct(twins, ["m33"])
    require_distinct(SHARED, ["m33", "dsp"])
    require_distinct(twins, ["another"])


def test_a_core_that_ran_before_is_never_stopped() -> None:
    before = "processor m33 running recovery=enabled coredump=disabled device=remoteproc0\n"
    script = cleaning(before, [Finding("container c")])
    assert "echo stop" not in script
    assert "echo stop" in cleaning(before.replace("running", "offline"), [Finding("container c")])
