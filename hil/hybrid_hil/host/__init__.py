"""The machine the rig runs on: what it needs there, the QEMU of its boards, the checkout it works from."""

from hybrid_hil.host.needs import Need, buildroot_needs, needs, needs_of_tests, package_of
from hybrid_hil.host.program import find_program

__all__ = ["Need", "buildroot_needs", "find_program", "needs", "needs_of_tests", "package_of"]
