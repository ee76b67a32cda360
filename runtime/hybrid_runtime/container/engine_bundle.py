"""Bundles as engines keep them, and whether an engine still has the container of one."""

import errno

from hybrid_runtime.system.bounded_file import read_file
from hybrid_runtime.system.json_text import BadJSON, read_object
from hybrid_runtime.system.path import link_exists
from hybrid_runtime.system.system_calls import stream_socket

# How a container can be lost: its engine removed the bundle, the shim that containerd reaches it by is gone, or a
# bundle that no engine made was removed.
FORGOTTEN = "forgotten"
WITHOUT_SHIM = "without shim"
WITHOUT_BUNDLE = "without bundle"
# Their engine will not stop these any more.
LOST_BY_ENGINE = (FORGOTTEN, WITHOUT_SHIM)
# By the storage driver (containers/storage, drivers).
_STORAGES = tuple(f"{driver}-containers" for driver in ("overlay", "vfs", "btrfs", "zfs"))
_TASKS = "io.containerd.runtime.v2.task"
# What containerd 1.7 and later, and what earlier ones, write into a bundle of where its shim listens.
_BOOTSTRAP, _ADDRESS = "bootstrap.json", "address"
_MOST_BYTES = 4096
_CONNECT_SECONDS = 1.0


def engine_s_folder(bundle: str) -> str:
    """The folder in which an engine has the bundles of its containers, by the path of one. Empty for other bundles."""
    parts = bundle.split("/")
    if _is_task(parts):
        return "/".join(parts[:-1])
    # podman and CRI-O: overlay-containers/ID/userdata.
    if len(parts) > 3 and parts[-1] == "userdata" and parts[-3] in _STORAGES:
        return "/".join(parts[:-2])
    return ""


def _is_task(parts: list[str]) -> bool:
    """containerd's, also below Docker: io.containerd.runtime.v2.task/NAMESPACE/ID."""
    return len(parts) > 3 and parts[-3] == _TASKS


def loss_of(bundle: str) -> str:
    """How the container of that bundle was lost. Empty when it was not, or nothing tells."""
    folder = engine_s_folder(bundle)
    try:
        if not link_exists(bundle):
            if not folder:
                return WITHOUT_BUNDLE
            # Where not even the folder is seen, this process has other mounts than the engine.
            return FORGOTTEN if link_exists(folder) else ""
        return WITHOUT_SHIM if _is_task(bundle.split("/")) and not _shim_listens(bundle) else ""
    except ValueError:
        # What is written there can be no path.
        return ""


def _shim_listens(bundle: str) -> bool:
    """True also where nothing tells of a shim, or it cannot be asked. A socket that is not there tells nothing: this
    process may have other mounts than the engine."""
    path = _shim_address(bundle).removeprefix("unix://")
    if not path.startswith("/"):
        return True
    try:
        asked = stream_socket()
        try:
            asked.settimeout(_CONNECT_SECONDS)
            asked.connect(path)
        finally:
            asked.close()
    except OSError as error:
        return error.errno != errno.ECONNREFUSED
    return True


def _shim_address(bundle: str) -> str:
    try:
        address = read_object(read_file(f"{bundle}/{_BOOTSTRAP}", _MOST_BYTES)).get("address")
        return address if isinstance(address, str) else ""
    except FileNotFoundError:
        pass
    except (OSError, BadJSON):
        return ""
    try:
        return read_file(f"{bundle}/{_ADDRESS}", _MOST_BYTES).decode("utf-8", "replace").strip()
    except OSError:
        return ""
