"""Containers that run although their engine has lost them, so that it will not stop their cores any more.

containerd runs the containers of a pod under one shim. When that is killed, containerd 2.1 undoes the sandbox alone,
and removes the bundles of the others without a word to their runtime (containerd core/runtime/v2/shim_manager.go).
"""

from collections.abc import Iterator

from hybrid_runtime.container import engine_bundle
from hybrid_runtime.container.claim import claimed_devices, readable_journal
from hybrid_runtime.container.container import Container
from hybrid_runtime.container.engine_bundle import LOST_BY_ENGINE, loss_of
from hybrid_runtime.container.holder import is_held
from hybrid_runtime.container.own_holder import own_container
from hybrid_runtime.setup.doctor.finding import DELETE, PROBLEM, REPAIR, WARNING, Check, Finding, Repaired
from hybrid_runtime.system.failure import Failure, reason
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.text import as_word

FORGOTTEN = Check(
    PROBLEM,
    "an engine has forgotten a container that runs",
    "The engine removed the container's bundle, so it will not stop the core any more.",
    REPAIR,
)
WITHOUT_SHIM = Check(
    PROBLEM,
    "the shim of a running container is gone",
    "Nobody listens on its socket, so containerd does not reach the container any more.",
    REPAIR,
)
WITHOUT_BUNDLE = Check(
    WARNING,
    "the bundle of a running container is gone",
    "The container goes on without it. Whoever removed the bundle may have forgotten the container.",
    DELETE,
)
_CHECKS = {
    engine_bundle.FORGOTTEN: FORGOTTEN,
    engine_bundle.WITHOUT_SHIM: WITHOUT_SHIM,
    engine_bundle.WITHOUT_BUNDLE: WITHOUT_BUNDLE,
}


def check(system: SystemPaths) -> Iterator[Finding]:
    for device, container in _running(system):
        found = loss_of(container.record.bundle)
        if found:
            yield _CHECKS[found].found(
                f"`{container.identifier}` (root `{container.store.root}`) on {device}",
                root=as_word(container.store.root),
                id=container.identifier,
            )


def repair(system: SystemPaths) -> Iterator[Repaired]:
    """Stops what an engine has lost. A bundle made by hand is its maker's affair."""
    for device, container in _running(system):
        if loss_of(container.record.bundle) not in LOST_BY_ENGINE:
            continue
        what = f"stopped container `{container.identifier}` on {device}, which its engine had lost"
        try:
            yield Repaired(what, "; ".join(container.destroy()))
        except (Failure, OSError) as error:
            yield Repaired(what, reason(error))


def _running(system: SystemPaths) -> Iterator[tuple[str, Container]]:
    """Every container of this user that holds a processor, of whichever root."""
    try:
        devices = claimed_devices(system, ".journal")
    except (Failure, OSError):
        # Told by the check of the journals.
        return
    for device in devices:
        journal = readable_journal(system, device)
        if journal is None or not is_held(system, device):
            continue
        container = own_container(system, device, journal)
        if container is not None:
            try:
                yield device, container
            finally:
                container.close()
