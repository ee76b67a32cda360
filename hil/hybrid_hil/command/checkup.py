"""A look at the host: what the rig needs, what it found, and what to do about the difference."""

import re
import sys
import urllib.request
from collections.abc import Callable, Iterable, Sequence

from hybrid_hil.board.run_folder import MORE_ROOM, runs_root
from hybrid_hil.failure import RigError
from hybrid_hil.host import Need, find_program, needs, needs_of_tests, package_of
from hybrid_hil.host.checkout import checkout_root
from hybrid_hil.host.emulator import QEMU, judge_machines, judge_qemu
from hybrid_hil.host.finding import HostFinding, Severity
from hybrid_hil.host.program import output_of
from hybrid_hil.image.assembly import missing_kinds
from hybrid_hil.image.debian.mirror import find_mirror
from hybrid_hil.image.debian.release import DEFAULT
from hybrid_hil.image.prerequisites import free_mebibytes, needed_mebibytes
from hybrid_hil.image.store import Store

MINIMUM_PYTHON = (3, 11)
# Boards that are kept; logs and artifacts come on top.
RUNNING_MEBIBYTES = 1024
# What a board may write to the overlay in its run folder, and what one takes that is restored, its memory included.
BOARD_MEBIBYTES = 32
RESTORED_MEBIBYTES = 128
MIRROR_SECONDS = 10.0
RUNS = "run folders"

VERSIONED = {"mmdebstrap": "--version", "dtc": "--version", "mke2fs": "-V"}
COMPILERS = ("gcc", "aarch64-linux-gnu-gcc", "arm-none-eabi-gcc")


def findings(qemu: str = QEMU) -> Iterable[HostFinding]:
    """Looks at this machine, one finding after the other; `qemu` is the one that boards are to run in."""
    yield judge_python(sys.version_info[:2])
    yield from (look_at_need(need) for need in needs() if need.thing != QEMU)
    yield from (look_at_need(need, Severity.NOTE) for need in needs_of_tests())
    yield from look_at_qemu(qemu)
    checkout = look_at_checkout()
    yield checkout
    if checkout.severity is Severity.OK:
        yield from look_at_cache(Store())
    yield look_at_runs()


def look_at_cache(store: Store) -> Iterable[HostFinding]:
    """Whether an image is there; when not, whether one can be built: room, and a mirror that answers."""
    try:
        missing = missing_kinds(store)
    except RigError as error:
        yield HostFinding("image", Severity.NOTE, error.message, error.remedy)
        return
    building = ", ".join(missing)
    found = f"the next boot builds first: {building}" if missing else "in the cache"
    yield HostFinding("image", Severity.NOTE if missing else Severity.OK, found)
    yield judge_space(str(store.root), free_mebibytes(store.root), needed_mebibytes(missing) + RUNNING_MEBIBYTES)
    if {"source", "rootfs"} & set(missing):
        yield look_at_mirror()


def look_at_runs() -> HostFinding:
    """Whether boards can write where they run; often that is a small tmpfs(5)."""
    try:
        root = runs_root()
    except RigError as error:
        return HostFinding(RUNS, Severity.FAIL, error.message, error.remedy)
    return judge_runs(str(root), free_mebibytes(root))


def look_at_need(need: Need, missing: Severity = Severity.FAIL) -> HostFinding:
    """What it is worth when it is `missing`: what only tests need keeps nothing else from working."""
    if not need.met():
        purpose = ": tests are skipped without it" if missing is Severity.NOTE else ""
        return HostFinding(need.thing, missing, "missing", f"install the package `{need.package}`{purpose}")
    return HostFinding(need.thing, Severity.OK, version_of(need.thing) or "there")


def look_at_qemu(qemu: str) -> Iterable[HostFinding]:
    """Where it is, how old it is, and whether it has the machine."""
    program = find_program(qemu)
    if program is None:
        remedy = f"install the package `{package_of(QEMU)}`, or fetch one: `hil qemu`"
        yield HostFinding(qemu, Severity.FAIL, "missing", remedy)
        return
    yield HostFinding("QEMU", Severity.OK, program)
    yield judge_qemu(output_of([program, "--version"]))
    yield judge_machines(output_of([program, "-machine", "help"]))


def look_at_checkout() -> HostFinding:
    try:
        return HostFinding("checkout", Severity.OK, str(checkout_root()))
    except RigError as error:
        return HostFinding("checkout", Severity.FAIL, error.message, error.remedy)


def look_at_mirror(ask: Callable[[str], None] | None = None) -> HostFinding:
    """Asks the Debian mirror for its release file, when this machine names a mirror."""
    subject = "Debian mirror"
    try:
        mirror = find_mirror()
        if mirror is None:
            return HostFinding(subject, Severity.NOTE, "none configured here: mmdebstrap's own default is used")
        uri = f"{mirror.main}/dists/{DEFAULT.suite}/Release"
        (ask or _ask)(uri)
    except RigError as error:
        return HostFinding(subject, Severity.FAIL, error.message, error.remedy)
    except (OSError, ValueError) as error:
        remedy = "connect this machine, or name a mirror in HYBRID_HIL_DEBIAN_MIRROR"
        return HostFinding(subject, Severity.FAIL, f"`{uri}`: {error}", remedy)
    return HostFinding(subject, Severity.OK, f"{mirror.main} answers")


def judge_python(version: Sequence[int]) -> HostFinding:
    text = ".".join(map(str, version))
    if tuple(version) < MINIMUM_PYTHON:
        return HostFinding("python", Severity.FAIL, text, "install Python 3.11 or later")
    return HostFinding("python", Severity.OK, text)


def judge_space(folder: str, free: int, needed: int) -> HostFinding:
    """Both amounts in MiB."""
    found = f"{free} MiB free at {folder}, {needed} MiB needed"
    if free < needed:
        return HostFinding("disk space", Severity.FAIL, found, "free some, or set XDG_CACHE_HOME to a larger disk")
    return HostFinding("disk space", Severity.OK, found)


def judge_runs(folder: str, free: int) -> HostFinding:
    """`free` in MiB; a board that finds no more there stands still."""
    found = f"{free} MiB free at {folder}"
    if free < BOARD_MEBIBYTES:
        return HostFinding(RUNS, Severity.FAIL, f"{found}, {BOARD_MEBIBYTES} MiB needed by a board", MORE_ROOM)
    if free < RESTORED_MEBIBYTES:
        return HostFinding(
            RUNS, Severity.NOTE, f"{found}, {RESTORED_MEBIBYTES} MiB needed by a restored board", MORE_ROOM
        )
    return HostFinding(RUNS, Severity.OK, found)


def version_of(thing: str) -> str | None:
    """The version `thing` says it has, when it is a program whose version matters."""
    program = find_program(thing)
    if program is None or not (thing in VERSIONED or thing in COMPILERS):
        return None
    answer = output_of([program, VERSIONED.get(thing, "-dumpfullversion")])
    match = re.search(r"\d+(\.\d+)+", answer)
    return match[0] if match else None


def _ask(uri: str) -> None:
    with urllib.request.urlopen(uri, timeout=MIRROR_SECONDS) as answer:
        answer.read(1)
