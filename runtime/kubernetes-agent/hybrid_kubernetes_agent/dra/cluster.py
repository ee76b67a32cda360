"""What the agent asks of the API server: claims to read, and its node's ResourceSlice to keep."""

from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from hybrid_kubernetes_agent.dra.resource_slice import GROUP, VERSION

_ANSWER_S = 10.0
_NOT_FOUND = 404


class ClusterError(Exception):
    """The API server does not answer, or refuses."""


class Cluster:
    """By the service account of the pod, or by the file `kubeconfig`."""

    def __init__(self, kubeconfig: str = "") -> None:
        """Raises ClusterError where neither is there."""
        try:
            if kubeconfig:
                config.load_kube_config(kubeconfig)
            else:
                config.load_incluster_config()
        except config.ConfigException as error:
            raise ClusterError(f"no way to the API server: {error}") from error
        self._objects = client.CustomObjectsApi()
        self._nodes = client.CoreV1Api()

    def claim(self, namespace: str, name: str) -> Mapping[str, Any]:
        """A ResourceClaim. Raises ClusterError."""
        found: Mapping[str, Any] = _asked(
            self._objects.get_namespaced_custom_object, GROUP, VERSION, namespace, "resourceclaims", name
        )
        return found

    def keep_slice(self, name: str, spec: Mapping[str, Any]) -> bool:
        """Creates the ResourceSlice, or changes what is there. Whether anything had to be done. Raises ClusterError."""
        found = self._slice(name)
        if found is None:
            body = {"metadata": {"name": name, "ownerReferences": [self._owner(spec["nodeName"])]}, "spec": spec}
            self._send_slice(self._objects.create_cluster_custom_object, body)
            return True
        generation = found["spec"]["pool"]["generation"]
        wanted = {**spec, "pool": {**spec["pool"], "generation": generation}}
        if found["spec"] == wanted:
            return False
        # A scheduler that has seen this one trusts none of an earlier generation.
        wanted["pool"]["generation"] = generation + 1
        self._send_slice(
            self._objects.replace_cluster_custom_object, {"metadata": found["metadata"], "spec": wanted}, name
        )
        return True

    def _slice(self, name: str) -> Mapping[str, Any] | None:
        try:
            found: Mapping[str, Any] = _asked(
                self._objects.get_cluster_custom_object, GROUP, VERSION, "resourceslices", name
            )
        except ClusterError as error:
            if isinstance(error.__cause__, client.ApiException) and error.__cause__.status == _NOT_FOUND:
                return None
            raise
        return found

    def _send_slice(self, call: Callable[..., Any], body: dict[str, Any], *name: str) -> None:
        _asked(
            call,
            *(GROUP, VERSION, "resourceslices", *name),
            {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ResourceSlice", **body},
        )

    def _owner(self, node: str) -> dict[str, Any]:
        """A node that is removed takes its slice with it."""
        found = _asked(self._nodes.read_node, node)
        return {"apiVersion": "v1", "kind": "Node", "name": node, "uid": found.metadata.uid, "controller": True}


def _asked(call: Callable[..., Any], *words: object) -> Any:
    try:
        return call(*words, _request_timeout=_ANSWER_S)
    except client.ApiException as error:
        raise ClusterError(f"the API server refuses: {error.status} {error.reason}: {_said(error)}") from error
    except (HTTPError, OSError) as error:
        raise ClusterError(f"the API server does not answer: {error}") from error


def _said(error: client.ApiException) -> str:
    return str(error.body or "").strip()[:500]
