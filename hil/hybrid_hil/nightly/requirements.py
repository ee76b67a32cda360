"""What a night finds on this machine."""

import os
from importlib.util import find_spec

from hybrid_hil.failure import RigError
from hybrid_hil.host import find_program
from hybrid_hil.host.emulator import banner, chosen_qemu, version_in
from hybrid_hil.image.assembly import BUILDROOT, ImageRequest, missing_kinds
from hybrid_hil.image.buildroot.request import TREE_VARIABLE, request_from_environment
from hybrid_hil.image.debian.emulator import SUITES, kept_emulator
from hybrid_hil.image.store import Store
from hybrid_hil.nightly.job import HOST, ROOT

MODULES = ("hypothesis", "jsonschema", "grpc", "google.protobuf", "cosmic_ray")


def missing_ingredients(store: Store) -> dict[str, str]:
    """The needs of jobs that are not met here, each with the reason."""
    looked = {HOST: against_host(), BUILDROOT: against_buildroot(store)}
    looked |= {release: against_emulator(store, release) for release in SUITES}
    looked[ROOT] = against_root()
    looked |= {module: against_module(module) for module in MODULES}
    return {need: reason for need, reason in looked.items() if reason}


def against_host() -> str:
    try:
        chosen_qemu(None)
    except RigError as error:
        return error.message
    return ""


def against_emulator(store: Store, release: str) -> str:
    """The QEMU of `release` has to be there, and to be another than the host's."""
    try:
        launcher = kept_emulator(store, release)
    except RigError as error:
        return error.message
    if launcher is None:
        return f"no such QEMU in the cache: `hil qemu --release {release}` fetches it"
    try:
        host = find_program(chosen_qemu(None))
    except RigError:
        return ""
    same = host is not None and version_in(banner(host)) == version_in(banner(str(launcher)))
    return f"the host's QEMU is {version_in(banner(str(launcher)))} as well" if same else ""


def against_buildroot(store: Store) -> str:
    """Buildroot's image takes an hour: it is built only where somebody has named sources."""
    if os.environ.get(TREE_VARIABLE):
        return ""
    request = ImageRequest(origin=BUILDROOT, buildroot=request_from_environment())
    if not missing_kinds(store, request):
        return ""
    remedy = "`hil image build --from buildroot` makes it"
    return f"no Buildroot image of this checkout in the cache and no {TREE_VARIABLE}: {remedy}"


def against_root() -> str:
    return "" if os.geteuid() == 0 else "making a machine takes root"


def against_module(name: str) -> str:
    """Looked for from its outermost package on: a parent that is not there has nothing inside."""
    parents = name.split(".")
    there = all(find_spec(".".join(parents[: count + 1])) for count in range(len(parents)))
    return "" if there else f"no Python module `{name}` here: `tox run -e nightly` has it"
