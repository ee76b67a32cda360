"""The refusal for a processor that somebody holds, in the words of whoever asked for that container."""

import posix as os

from hybrid_runtime import CONFIG
from hybrid_runtime.bundle.bundle import LARGEST_CONFIG_BYTES
from hybrid_runtime.bundle.pod import PodContainer
from hybrid_runtime.container.claim import Journal, readable_journal
from hybrid_runtime.container.engine_bundle import LOST_BY_ENGINE, loss_of
from hybrid_runtime.container.own_holder import own_container
from hybrid_runtime.system.bounded_file import read_file
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.json_text import BadJSON, read_object
from hybrid_runtime.system.system_paths import SystemPaths
from hybrid_runtime.system.text import as_word


def held_by_other(system: SystemPaths, device: str, name: str) -> Failure:
    """The refusal for a processor whose claim is taken."""
    journal = readable_journal(system, device)
    if journal is None:
        return Failure(f"processor `{name}` ({device}) is held by another command", "try again")
    who = f"container `{journal.identifier}` (root `{journal.root}`)"
    remedy = (
        f"{_as_owner(journal.root)}`hybrid-runtime --root {as_word(journal.root)} kill {journal.identifier}` stops it "
        "and frees the processor, `delete --force` does so whatever its state"
    )
    held = pod_container_of(journal)
    if held.pod:
        who = f"`{held.container}` of the pod `{held.namespace}/{held.pod}`, {who}"
        # A kubelet would start again what was only killed.
        remedy = (
            f"`kubectl delete pod --namespace {held.namespace} {held.pod}` frees the processor, unless a Deployment or "
            "DaemonSet makes another such pod: scale that down instead"
        )
    if _is_lost(system, device, journal):
        remedy = "its engine has lost it, and `hybrid-runtime doctor --repair` frees the processor"
    return Failure(f"processor `{name}` ({device}) is held by {who}", remedy)


def _is_lost(system: SystemPaths, device: str, journal: Journal) -> bool:
    container = own_container(system, device, journal)
    if container is None:
        return False
    try:
        return loss_of(container.record.bundle) in LOST_BY_ENGINE
    finally:
        container.close()


def pod_container_of(journal: Journal) -> PodContainer:
    """What the engine said of it. A journal may name any folder, so nothing there is waited for."""
    path = f"{journal.root}/{journal.identifier}/{CONFIG}"
    try:
        annotations = read_object(read_file(path, LARGEST_CONFIG_BYTES)).get("annotations")
    except (OSError, BadJSON):
        annotations = None
    return PodContainer(annotations if isinstance(annotations, dict) else {})


def _as_owner(root: str) -> str:
    """Containers of another user are that user's to stop."""
    try:
        owner = os.stat(root).st_uid
    except OSError:
        return ""
    return "" if owner == os.geteuid() else f"as user {owner}, "
