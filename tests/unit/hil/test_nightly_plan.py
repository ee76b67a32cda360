"""What a night would run, without running it."""

import itertools
import re

import pytest

from hybrid_hil.failure import RigError
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.image.debian.emulator import SUITES
from hybrid_hil.nightly.job import HOST, JOBS, ROOT, Job
from hybrid_hil.nightly.plan import Filter, Planned, foreseen, no_room, plan
from hybrid_hil.nightly.requirements import MODULES, against_module

FAST = Job("fast", "", 5, ())
SLOW = Job("slow-new", "", 30, (), needs=("newest",))
LAST = Job("last-new", "", 10, (), needs=("newest", "buildroot"))
THREE = (FAST, SLOW, LAST)


def reasons(planned: list[Planned]) -> dict[str, str]:
    return {one.job.name: one.reason for one in planned}


def test_with_everything_at_hand_all_of_it_runs_in_order() -> None:
    assert reasons(plan(THREE, Filter(), {})) == {"fast": "", "slow-new": "", "last-new": ""}
    assert [one.job for one in plan(THREE, Filter(), {})] == list(THREE)


def test_what_lacks_something_says_what() -> None:
    missing = {"buildroot": "no image", "grpc": "no module"}
    assert reasons(plan(THREE, Filter(), missing)) == {"fast": "", "slow-new": "", "last-new": "no image"}


def test_only_names_all_there_is_and_skip_leaves_a_line() -> None:
    job_filter = Filter(only=("*-new",), skip=("slow*",))
    assert reasons(plan(THREE, job_filter, {})) == {"slow-new": "not wished for: --skip", "last-new": ""}


@pytest.mark.parametrize("job_filter", [Filter(only=("fastt",)), Filter(skip=("nothing-*",))])
def test_a_wish_for_nothing_is_refused(job_filter: Filter) -> None:
    with pytest.raises(RigError, match=r"no part `(fastt|nothing-\*)`") as refused:
        plan(THREE, job_filter, {})
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("begun", "bound", "left_out"),
    [(0, None, False), (0, 30, False), (0, 29, True), (20, 50, False), (21, 50, True), (90, 60, True)],
)
def test_no_part_is_begun_that_no_longer_fits(begun: float, bound: float | None, left_out: bool) -> None:
    reason = no_room(SLOW, begun, bound)
    assert bool(reason) is left_out
    assert not left_out or "takes about 30 minutes" in reason


def test_a_shorter_part_may_still_fit_after_one_that_does_not() -> None:
    seen = foreseen(plan(THREE, Filter(), {}), 16)
    assert reasons(seen) == {"fast": "", "slow-new": "takes about 30 minutes, 11 of 16 are left", "last-new": ""}


def test_parts_are_named_for_folders_and_need_what_is_looked_for() -> None:
    names = [job.name for job in JOBS]
    assert len(set(names)) == len(names)
    assert not any(set(name) & set("/*?[ ") for name in names)
    known = {HOST, *SUITES, ROOT, "buildroot", *MODULES}
    assert {need for job in JOBS for need in job.needs} <= known


def test_the_matrix_has_every_image_layout_and_qemu() -> None:
    cells = {name for name in (job.name for job in JOBS) if name.startswith(("debian-", "buildroot-"))}
    assert cells == {
        f"{image}-{layout}-{qemu}"
        for image in ("debian", "buildroot")
        for layout in ("two-cores", "one-core", "imx8mn", "stm32mp1")
        for qemu in ("host", "newest")
    }


def test_the_matrix_of_kernels_leaves_out_what_the_other_has_and_what_cannot_be() -> None:
    cells = {name.removeprefix("linux-") for name in (job.name for job in JOBS) if name.startswith("linux-")}
    layouts, qemus = ("two-cores", "one-core", "imx8mn", "stm32mp1"), ("host", "debian-13", "newest")
    assert cells == {
        *(f"6.1-{layout}-{qemu}" for layout in ("imx8mn", "stm32mp1") for qemu in qemus),
        *(f"6.12-{layout}-debian-13" for layout in layouts),
        *(f"newest-{layout}-{qemu}" for layout in layouts for qemu in qemus),
    }


def test_the_workflow_runs_every_part_but_the_one_that_wants_a_quiet_machine() -> None:
    workflow = (checkout_root() / ".github/workflows/nightly.yml").read_text()
    rows = dict(re.findall(r"^        (\w+): \[(.*)\]$", workflow, re.MULTILINE))
    images, layouts, qemus, jobs = (rows[name].split(", ") for name in ("image", "layout", "qemu", "part"))
    cells = {"-".join(cell) for cell in itertools.product(images, layouts, qemus)}
    alone = set(re.findall(r"--only ([a-z]+)", workflow))
    kernels = {f"linux-{kernel}" for kernel in rows["kernel"].replace("'", "").split(", ")}
    of_kernels = {job.name for job in JOBS if "-".join(job.name.split("-")[:2]) in kernels}
    assert cells | set(jobs) | alone | of_kernels == {job.name for job in JOBS} - {"bench"}


def test_modules_are_looked_for_through_their_parents() -> None:
    assert against_module("xml.etree") == ""
    assert "`no_such.module`" in against_module("no_such.module")
