"""The jobs of a night."""

from dataclasses import dataclass

from hybrid_hil.board.layout import LAYOUTS, TWO_CORES
from hybrid_hil.image.assembly import BUILDROOT, DEBIAN
from hybrid_hil.image.debian.emulator import NEWEST, SUITES
from hybrid_hil.image.debian.engines import PACKAGES as ENGINES
from hybrid_hil.image.debian.kernel_release import DEFAULT, RELEASES, KernelRelease
from hybrid_hil.image.debian.release import RELEASES as DEBIAN_RELEASES
from hybrid_hil.image.debian.release import DebianRelease

HOST = "host"
ROOT = "root"
WHOSE = {HOST: "this machine's QEMU", "debian-13": "the QEMU of Debian 13", NEWEST: "the newest QEMU"}
# Buildroot's Python takes twice as long as Debian's for whatever a verb does
_MINUTES = {DEBIAN: {True: 25, False: 15}, BUILDROOT: {True: 50, False: 30}}
# as by day: each has a board of its own, and they share two CPUs
_TWO_WORKERS = ("-n", "2")
# where a job's own files go, in its arguments
FOLDER = "{folder}"


@dataclass(frozen=True)
class Job:
    """One run of pytest. `minutes` is what it takes on two quiet CPUs, `needs` names what has to be at hand; `qemu`
    says whose QEMU its boards run in, and is empty where there are none."""

    name: str
    title: str
    minutes: int
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    image: str = ""
    qemu: str = ""


def _cell(image: str, layout: str, qemu: str) -> Job:
    """One combination of the matrix. The rig's own tests choose their layouts themselves, so they run once per image
    and QEMU."""
    whole = layout == TWO_CORES.name
    tests = ("tests/board", "tests/rig") if whole else ("tests/board",)
    return Job(
        name=f"{image}-{layout}-{qemu}",
        title=f"{'the whole suite' if whole else 'the tests on a board'}, {layout}, {WHOSE[qemu]}",
        minutes=_MINUTES[image][whole],
        arguments=(*tests, *_TWO_WORKERS, "--image", image, "--layout", layout, "--nightly"),
        needs=(*(need for need in (image, qemu) if need != DEBIAN), *(["hypothesis"] if whole else [])),
        image=image,
        qemu=qemu,
    )


# Those in which the suite runs as a whole, on the usual kernel.
_WHOLE = (HOST, NEWEST)
MATRIX = tuple(_cell(image, layout, qemu) for image in (DEBIAN, BUILDROOT) for layout in LAYOUTS for qemu in _WHOLE)
# What an engine's users meet of a kernel and its driver.
_OF_A_DRIVER = tuple(
    f"tests/board/test_{name}.py" for name in ("lifecycle", "faults", "refusals", "rpmsg", "coredump", "watchdog")
)


def _kernel_cell(kernel: KernelRelease, layout: str, qemu: str) -> Job:
    """One combination of the matrix of kernels."""
    return Job(
        name=f"linux-{kernel.name}-{layout}-{qemu}",
        title=f"life and faults on Linux {kernel.name}, {layout}, {WHOSE[qemu]}",
        minutes=6,
        arguments=(*_OF_A_DRIVER, *_TWO_WORKERS, "--image", f"{DEBIAN}:{kernel.name}", "--layout", layout),
        needs=(qemu,),
        image=DEBIAN,
        qemu=qemu,
    )


# Without those that are in the other matrix as a whole.
KERNELS = tuple(
    _kernel_cell(kernel, layout.name, qemu)
    for kernel in RELEASES.values()
    for layout in LAYOUTS.values()
    for qemu in (HOST, *SUITES)
    if layout.driver not in kernel.lacks and (kernel != DEFAULT or qemu not in _WHOLE)
)


# systemd runs engines in another way, and has Compose. Programs of CRI-O and Kubernetes are given by hand.
_ELSEWHERE = ("compose", "crio", "kubernetes", "systemd")


def _engines(release: DebianRelease) -> Job:
    """The engines of one Debian release."""
    inside = [name for name in ENGINES if name not in (*_ELSEWHERE, *release.lacks)]
    return Job(
        f"engines-{DEBIAN}-{release.name}",
        f"podman, Docker, containerd and its CRI of Debian {release.name} on a board",
        45,
        ("tests/engines", "--image", "+".join((f"{DEBIAN}-{release.name}", *inside))),
        needs=(HOST, "grpc", "google.protobuf"),
        image=DEBIAN,
        qemu=HOST,
    )


_LIVES = "back_to_back or restarts_of_each_core"
_MANY = ("--soak", "1000", "--restarts", "1000")
JOBS = (
    *MATRIX,
    *KERNELS,
    Job(
        "unit",
        "the runtime's unit tests: every system call, many random lives",
        20,
        ("tests/unit/runtime", *_TWO_WORKERS, "--thorough"),
        needs=("hypothesis", "jsonschema"),
    ),
    Job(
        "faults",
        "the tests on a board, with a fault at every system call",
        60,
        ("tests/board", "--thorough", "--nightly"),
        needs=(HOST,),
        image=DEBIAN,
        qemu=HOST,
    ),
    Job(
        "soak",
        "a thousand lives back to back, a thousand restarts of each core",
        90,
        ("tests/board/test_soak.py", "tests/board/test_lifecycle.py", "-k", _LIVES, *_MANY),
        needs=(HOST,),
        image=DEBIAN,
        qemu=HOST,
    ),
    Job(
        "bench",
        "what the runtime costs, held against its budgets",
        30,
        ("tests/bench", "--bench-json", f"{FOLDER}/bench.json"),
        needs=(HOST,),
        image=DEBIAN,
        qemu=HOST,
    ),
    *(_engines(release) for release in DEBIAN_RELEASES.values()),
    Job(
        "engines-systemd",
        "engines as services of systemd, on Debian 13",
        15,
        ("tests/engines/test_systemd.py", "--image", f"{DEBIAN}-13+compose+containerd+docker+podman+registry+systemd"),
        needs=(HOST,),
        image=DEBIAN,
        qemu=HOST,
    ),
    Job(
        "mutants",
        "sabotages that tests must notice, those on a board among them",
        45,
        ("tests/mutants", *_TWO_WORKERS, "--nightly"),
        needs=(HOST, "hypothesis", "jsonschema"),
        image=DEBIAN,
        qemu=HOST,
    ),
    Job(
        "mutation",
        "every small change of the pure modules, by cosmic-ray",
        90,
        ("tests/mutation",),
        needs=("hypothesis", "cosmic_ray"),
    ),
    Job(
        "fresh",
        "the README's commands on minimal systems, from an empty cache",
        120,
        ("tests/fresh",),
        needs=(ROOT,),
    ),
)
