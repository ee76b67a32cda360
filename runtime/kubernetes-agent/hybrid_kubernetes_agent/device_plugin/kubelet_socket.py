"""The socket on which the kubelet of this node takes registrations: whether it is there, and whether it is another."""

from dataclasses import dataclass
from pathlib import Path

KUBELET_SOCKET = "kubelet.sock"


@dataclass(frozen=True)
class KubeletSocket:
    """One that a kubelet has made. A new one may have the number of the former, but not its time as well."""

    number: int
    changed_ns: int


def kubelet_socket(folder: Path) -> KubeletSocket | None:
    """None while there is no kubelet."""
    try:
        facts = (folder / KUBELET_SOCKET).stat()
    except OSError:
        return None
    return KubeletSocket(facts.st_ino, facts.st_ctime_ns)
