"""`features`: what engines may expect (OCI runtime spec, features.md). JSON only, and nothing on standard error."""

from hybrid_runtime import SPEC_VERSION, VERSION
from hybrid_runtime.bundle.hook import RUN_KINDS
from hybrid_runtime.command.columns import say_json
from hybrid_runtime.command.context import Context
from hybrid_runtime.command.options import Values
from hybrid_runtime.command.version import commit

OLDEST_SPEC_VERSION = "1.0.0"
# Recognized in config.json. The supervisor enters a network namespace and, since it must see the machine's own
# sysfs and devices, no other. A user namespace is refused.
NAMESPACES = ("cgroup", "ipc", "mount", "network", "pid", "time", "uts")


def features() -> dict[str, object]:
    """Lists that are empty say that nothing of the kind is supported; left out they would say unknown."""
    disabled = {"enabled": False}
    return {
        "ociVersionMin": OLDEST_SPEC_VERSION,
        "ociVersionMax": SPEC_VERSION,
        "hooks": list(RUN_KINDS),
        "mountOptions": [],
        "linux": {
            "namespaces": list(NAMESPACES),
            "capabilities": [],
            "cgroup": {"v1": False, "v2": True, "systemd": True, "systemdUser": False, "rdma": False},
            "seccomp": disabled,
            "apparmor": disabled,
            "selinux": disabled,
            "intelRdt": disabled,
            "mountExtensions": {"idmap": disabled},
            "netDevices": disabled,
        },
        "annotations": {"hybrid-runtime.version": VERSION, "hybrid-runtime.commit": commit()},
        # All of them: they choose the processor and what becomes of it.
        "potentiallyUnsafeConfigAnnotations": ["remoteproc."],
    }


def run(context: Context, values: Values) -> int:  # noqa: ARG001  as every verb
    say_json(context, features())
    return 0
