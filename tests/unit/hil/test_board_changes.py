"""What counts as left behind, and the script that removes it."""

import pytest

from hybrid_hil.device.change import Change, changes, complaints, leaving, unexpected
from hybrid_hil.device.cleaning import cleaning
from hybrid_hil.device.look import ours, require_distinct
from hybrid_hil.failure import RigError

CLEAN = """processor 10000.r5f offline recovery=enabled coredump=disabled
processor 30000.r5f offline recovery=enabled coredump=disabled
firmware regulatory.db
"""
DIRTY = """processor 10000.r5f running recovery=disabled coredump=disabled
processor 30000.r5f offline recovery=enabled coredump=disabled
container c 1
claim remoteproc0.journal
firmware regulatory.db
firmware x-1-2
process python3 123
"""


def test_a_board_as_it_was_has_no_findings() -> None:
    assert changes(CLEAN, CLEAN) == []


def test_everything_new_and_everything_gone_is_found() -> None:
    texts = [str(change) for change in changes(CLEAN, DIRTY)]
    assert texts == [
        "processor 10000.r5f running recovery=disabled coredump=disabled",
        "container c 1",
        "claim remoteproc0.journal",
        "firmware x-1-2",
        "process python3 123",
        "no longer: processor 10000.r5f offline recovery=enabled coredump=disabled",
    ]


def test_cleaning_names_what_was_found_and_nothing_else() -> None:
    script = cleaning(CLEAN, changes(CLEAN, DIRTY))
    assert "/usr/bin/hybrid-runtime delete --force 'c 1'" in script
    assert "kill -9 123" in script
    assert "rm -f /lib/firmware/x-1-2\n" in script
    assert "regulatory.db" not in script
    assert "rm -f /run/hybrid-runtime-claims/remoteproc0.journal" in script
    assert "echo enabled >$p/recovery" in script


def test_a_changed_search_path_is_no_firmware_file() -> None:
    found = [Change("firmware path /elsewhere")]
    assert "/lib/firmware/path" not in cleaning(CLEAN, found)


SHARED = """processor m33 offline recovery=enabled coredump=disabled device=remoteproc0
processor dsp running recovery=enabled coredump=disabled device=remoteproc1
container mine
container theirs
claim remoteproc0.journal
claim remoteproc1.journal
firmware somebody-s
firmware path /var/lib/firmware
kernel [    9.5] WARNING: CPU: 0 PID: 1 at x.c:1
tainted 512
warnings 1
oopses 0
printk 7 4 1 7
cgroup theirs
mounted /theirs tmpfs rw
mount / is read-only
link theirs flags=0x1 mtu=1500
address 10.0.0.9
process hybrid-runtime 11
process hybrid-runtime 77
process python3 99
process a program of theirs 98
"""
LISTED = [{"id": "mine", "pid": 11, "processor": "m33"}, {"id": "theirs", "pid": 77, "processor": "dsp"}]


def test_on_a_shared_board_only_what_is_ours_is_judged() -> None:
    assert ours(SHARED, ["m33"], LISTED).splitlines() == [
        "processor m33 offline recovery=enabled coredump=disabled device=remoteproc0",
        "container mine",
        "claim remoteproc0.journal",
        "firmware path /var/lib/firmware",
        "mount / is read-only",
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
    script = cleaning(before, [Change("container c")])
    assert "echo stop" not in script
    script = cleaning(before.replace("running", "offline"), [Change("container c")])
    # The first stop waits for a recovery of the kernel, in which the core is seen offline.
    assert script.index("echo disabled >$p/recovery") < script.index("echo stop") < script.index("while read -r state")
    # Kernels that do not stop a crashed core bring it back first.
    assert "echo stop >$p/state || echo recover >$p/recovery" in script


def texts(before: str, now: str) -> list[str]:
    return [str(change) for change in changes(before, now)]


def test_a_process_is_one_of_its_kind() -> None:
    """A shell that init starts anew has another number; two of them are one more."""
    before = "process sh 100\nprocess init 1\n"
    assert texts(before, "process init 1\nprocess sh 200\n") == []
    assert texts(before, "process init 1\nprocess sh 100\nprocess sh 200\n") == ["process sh 200"]
    assert texts(before, "process init 1\nprocess sh 200\nprocess sh 300\n") == ["process sh 200"]


def test_only_the_runtime_s_processes_are_missed() -> None:
    before = "process cron 7\nprocess python3 8\nprocess hybrid-runtime 9\n"
    assert texts(before, "") == ["no longer: process python3 8", "no longer: process hybrid-runtime 9"]


def test_the_same_thing_twice_is_one_more() -> None:
    once = "mounted /mnt tmpfs rw\n"
    assert texts(once, once * 2) == ["mounted /mnt tmpfs rw"]
    assert texts(once * 2, once) == ["no longer: mounted /mnt tmpfs rw"]


def test_an_address_in_two_tables_is_told_once() -> None:
    assert texts("", "address 10.9.9.9\n" * 2) == ["address 10.9.9.9"]


WARNING = "kernel [    9.5] WARNING: CPU: 0 PID: 1 at kernel/x.c:1 f+0x1/0x2"
QUIET = "tainted 0\nwarnings 0\noopses 0\n"
WARNED = f"{WARNING}\ntainted 512\nwarnings 1\noopses 0\n"


def test_the_kernel_s_complaints_are_told_as_they_are_now() -> None:
    assert texts(QUIET, WARNED) == [WARNING, "tainted 512", "warnings 1"]
    assert [change.text for change in complaints(changes(QUIET, WARNED))] == [WARNING, "tainted 512", "warnings 1"]
    assert changes(WARNED, WARNED) == []


def test_a_log_that_was_emptied_or_overwritten_is_none() -> None:
    assert texts(WARNED, WARNED.replace(f"{WARNING}\n", "")) == []


@pytest.mark.parametrize(
    ("announced", "told"),
    [
        (None, [WARNING, "tainted 512", "warnings 1"]),
        ([], []),
        (["kernel/x.c:1"], []),
        (["kernel/y.c", "WARNING: CPU"], []),
        (["kernel/y.c"], [WARNING]),
    ],
)
def test_a_test_announces_the_lines_it_expects(announced: list[str] | None, told: list[str]) -> None:
    found = [Change("container c"), *changes(QUIET, WARNED)]
    assert [change.text for change in unexpected(found, announced)] == told


def test_what_may_stay_belongs_to_the_board_from_then_on() -> None:
    before = "process init 1\ncgroup old\nprintk 1 4 1 7\n"
    now = "process init 1\nprocess dockerd 50\nprocess dockerd-proxy 51\ncgroup docker\nprintk 7 4 1 7\n"
    left = leaving(before, now, ["process dockerd", "cgroup"])
    assert texts(left, now) == ["process dockerd-proxy 51", "printk 7 4 1 7", "no longer: printk 1 4 1 7"]
    assert changes(leaving(before, now, []), now) == changes(before, now)


LEFT = """process python3 123
process some program 124
cgroup left
cgroup left/inner
mounted /mnt tmpfs rw
mounted /mnt/inner tmpfs rw
mounted / ext4 ro
link veth0 flags=0x1003 mtu=1500
link eth0 flags=0x1002 mtu=1500
printk 7 4 1 7
"""
AS_IT_WAS = "mounted / ext4 rw\nlink eth0 flags=0x1003 mtu=1500\nprintk 1 4 1 7\n"


def test_what_is_cleaned_and_in_which_order() -> None:
    lines = cleaning(AS_IT_WAS, changes(AS_IT_WAS, LEFT)).splitlines()
    assert "kill -9 123 124 2>/dev/null" in lines
    assert [line for line in lines if line.startswith("umount")] == ["umount /mnt/inner", "umount /mnt"]
    groups = [line.split("rmdir ")[1].split()[0] for line in lines if "rmdir" in line]
    assert groups == ["/sys/fs/cgroup/left/inner", "/sys/fs/cgroup/left"]
    assert [line for line in lines if "ip link" in line] == ["ip link delete veth0"]
    assert "echo '1 4 1 7' >/proc/sys/kernel/printk" in lines
    places = [
        next(n for n, line in enumerate(lines) if word in line) for word in ("kill -9", "umount", "rmdir", "link")
    ]
    assert places == sorted(places)
