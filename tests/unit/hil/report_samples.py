"""Runs that never were, for the tests of their reports."""

import random
from dataclasses import replace

from hybrid_hil.report.finding import Finding, Level
from hybrid_hil.report.record import (
    Boot,
    Case,
    CoreEvent,
    Excerpt,
    Facts,
    Observed,
    Outcome,
    Run,
    Said,
    StageTime,
    VerbCall,
)

BEGAN = 1_780_000_000.0
CORE = "10000.r5f"
FACTS = Facts(
    board="emulated",
    image_hash="c9123f415934566e",
    image_origin="debian",
    kernel="6.12.117",
    layout="two-cores",
    qemu="7.2.19",
    runtime="0.1.0 commit fa703a2",
    host="Linux x86_64 6.1.0",
    cpus=2,
    load_before=0.4,
    load_after=1.9,
)
BOOTS = (
    Boot(
        BEGAN + 0.4,
        (
            StageTime("firmware", 0.5),
            StageTime("kernel", 2.1),
            StageTime("init", 0.7),
            StageTime("network", 1.6),
            StageTime("ssh", 1.2),
            StageTime("provision", 2.3),
        ),
    ),
    Boot(BEGAN + 31, (StageTime("restore", 1.9),)),
    Boot(BEGAN + 60, (StageTime("firmware", 0.5), StageTime("kernel", 6.0)), failed=True),
)
# what firmware may put on a console: markup, controls, half a character, text that runs backwards
HOSTILE = (
    "</pre><script>document.title='taken'</script><img src=http://203.0.113.1/x>\x1b[2J\x00\x07\ud800\u202e{{ 7 * 7 }}"
)
FAILURE = """def test_it(runtime):
>       assert runtime.state("c")["status"] == "stopped"
E       AssertionError: assert 'running' == 'stopped'

tests/board/test_lifecycle.py:12: AssertionError"""


def life(seed: int, core: str = CORE, crash: bool = False) -> Observed:
    """What a board does while a core is started and stopped."""
    chance = random.Random(seed)
    up, down = 0.4 + chance.random() / 5, 1.6
    said = [CoreEvent(0.35, core, f"powering up {core}"), CoreEvent(up, core, f"remote processor {core} is now up")]
    if crash:
        said.append(CoreEvent(1.2, core, f"crash detected in {core}: type fatal error"))
    said.append(CoreEvent(down, core, f"stopped remote processor {core}"))
    calls = [
        VerbCall(verb, 0.1 * number, mean * chance.lognormvariate(0, 0.25), 0)
        for number, (verb, mean) in enumerate((("create", 0.21), ("start", 0.16), ("state", 0.09), ("state", 0.09)))
    ]
    calls += [VerbCall("kill", 1.4, 0.1, 0), VerbCall("delete", 1.8, 0.12 * chance.lognormvariate(0, 0.3), 0)]
    beats = tuple(Said(up + 0.1 * number, f"core0 beat={number}") for number in range(1, 12))
    return Observed(
        console=Excerpt((Said(0.0, f"# test {seed}"),)),
        core_console=Excerpt((Said(up, f"core0 heartbeat boot={seed} nonce=52bf610284c1e298"), *beats)),
        events=tuple(said),
        calls=tuple(calls),
    )


def case(number: int, outcome: Outcome = Outcome.PASSED, *, file: str = "tests/board/test_lifecycle.py") -> Case:
    """A test that did something; one that failed has everything that is kept of those."""
    failed = outcome is Outcome.FAILED
    details = {Outcome.FAILED: FAILURE, Outcome.SKIPPED: "needs 3 processors, the layout `two-cores` has fewer"}
    return Case(
        test=f"{file}::test_a_life_of_its_own[{number}]",
        outcome=outcome,
        began=BEGAN + 12 + 2.2 * number,
        duration_s=2.0,
        detail=details.get(outcome, ""),
        evidence=f"hil-artifacts/test_{number}" if failed else "",
        by_hand="qemu-system-aarch64 -machine xlnx-versal-virt -nographic" if failed else "",
        observed=Observed() if outcome is Outcome.SKIPPED else life(number, crash=failed),
    )


def run(cases: tuple[Case, ...], exit_code: int | None = None) -> Run:
    bad = any(one.bad for one in cases)
    return Run(BEGAN, 14 + 2.2 * len(cases), int(bad) if exit_code is None else exit_code, FACTS, cases)


def usual_run() -> Run:
    """Forty tests of three files: one failed, one was skipped, one was expected to fail."""
    odd = {7: Outcome.FAILED, 11: Outcome.SKIPPED, 30: Outcome.XFAILED}
    files = ("tests/board/test_lifecycle.py", "tests/board/test_faults.py", "tests/rig/test_console.py")
    return replace(run(tuple(case(n, odd.get(n, Outcome.PASSED), file=files[n // 15]) for n in range(40))), boots=BOOTS)


def _later(one: Case, nights: int) -> Case:
    return replace(one, began=one.began + 86_400 * nights)


def nights() -> list[Run]:
    """Five nights of three tests, each of another revision: one fine, one broken since the third, one now and then."""
    courses = {0: ".....", 1: "..FFF", 2: ".F.F."}
    outcomes = {".": Outcome.PASSED, "F": Outcome.FAILED}
    return [
        replace(
            run(tuple(_later(case(test, outcomes[course[night]]), night) for test, course in courses.items())),
            began=BEGAN + 86_400 * night,
            facts=replace(FACTS, runtime=f"0.1.0 commit {night}"),
        )
        for night in range(5)
    ]


def hostile_run() -> Run:
    """A run whose board tries everything to get at the reader."""
    lines = Excerpt((Said(0.1, HOSTILE), Said(0.2, "x" * 3000)))
    events = (CoreEvent(0.1, HOSTILE, f"powering up {HOSTILE}"),)
    seen = Observed(lines, lines, events, (VerbCall("state", 0, 0.1, 0),), HOSTILE)
    one = Case(
        test=f"a.py::t[{HOSTILE}]",
        outcome=Outcome.FAILED,
        began=BEGAN,
        duration_s=1.0,
        worker=HOSTILE,
        detail=HOSTILE,
        evidence="javascript:alert(1)",
        by_hand=HOSTILE,
        observed=seen,
    )
    return replace(run((one,)), findings=(Finding(Level.PROBLEM, HOSTILE, HOSTILE, HOSTILE),))
