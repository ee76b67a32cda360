"""What the agent asks of the API server: claims to read, and its node's ResourceSlice to keep."""

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from hybrid_kubernetes_agent.dra.resource_slice import GROUP, VERSION

# What a pod finds of its service account.
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_API = f"/apis/{GROUP}/{VERSION}"
_SLICES = f"{_API}/resourceslices"
_ANSWER_S = 10.0
_MOST_OF_A_REASON = 500


class ClusterError(Exception):
    """The API server does not answer, or refuses with `status`."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


def server_of_pod() -> str:
    """The API server as a pod is told of it. Raises ClusterError where this is none."""
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    if not host or not port:
        raise ClusterError("no way to the API server: this is no pod of a cluster (name it with --server)")
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


class Cluster:
    """The API server at that URL, by the `token` and the `ca.crt` of a folder."""

    def __init__(self, server: str, account: Path = ACCOUNT) -> None:
        self._server = server
        self._account = account

    def claim(self, namespace: str, name: str) -> Mapping[str, Any]:
        """A ResourceClaim. Raises ClusterError."""
        return self._asked("GET", f"{_API}/namespaces/{namespace}/resourceclaims/{name}")

    def keep_slice(self, name: str, spec: Mapping[str, Any]) -> bool:
        """Creates the ResourceSlice, or changes what is there. Whether anything had to be done. Raises ClusterError."""
        found = self._slice(name)
        if found is None:
            metadata = {"name": name, "ownerReferences": [self._owner(spec["nodeName"])]}
            self._asked("POST", _SLICES, _resource_slice(metadata, spec))
            return True
        generation = found["spec"]["pool"]["generation"]
        wanted = {**spec, "pool": {**spec["pool"], "generation": generation}}
        if found["spec"] == wanted:
            return False
        # A scheduler that has seen this one trusts none of an earlier generation.
        wanted["pool"]["generation"] = generation + 1
        self._asked("PUT", f"{_SLICES}/{name}", _resource_slice(found["metadata"], wanted))
        return True

    def _slice(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self._asked("GET", f"{_SLICES}/{name}")
        except ClusterError as error:
            if error.status == requests.codes.not_found:
                return None
            raise

    def _owner(self, node: str) -> dict[str, Any]:
        """A node that is removed takes its slice with it."""
        uid = self._asked("GET", f"/api/v1/nodes/{node}")["metadata"]["uid"]
        return {"apiVersion": "v1", "kind": "Node", "name": node, "uid": uid, "controller": True}

    def _asked(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        """No connection is kept: there are a few requests an hour. A token is replaced before it ends, so it is read
        each time."""
        try:
            headers = {"Authorization": f"Bearer {(self._account / 'token').read_text().strip()}"}
            with requests.Session() as session:
                session.mount("https://", _OwnAuthority(self._account / "ca.crt"))
                answer = session.request(
                    *(method, f"{self._server}{path}"),
                    headers=headers,
                    json=body,
                    timeout=_ANSWER_S,
                    allow_redirects=False,
                )
            if not answer.ok:
                said = answer.text.strip()[:_MOST_OF_A_REASON]
                status = f"{answer.status_code} {answer.reason}"
                raise ClusterError(f"the API server refuses: {status}: {said}", answer.status_code)
            found = answer.json()
        except (requests.RequestException, OSError) as error:
            raise ClusterError(f"the API server does not answer: {error}") from error
        if not isinstance(found, dict):
            raise ClusterError("the API server answers with no object")
        return found


class _OwnAuthority(HTTPAdapter):
    """Trusts the authority of the cluster, and no other.

    That of some clusters lacks extensions which Python asks for since 3.13, and every other client does without (EKS
    before 1.17, MicroK8s). Chain and name are checked as ever.
    """

    def __init__(self, certificate: Path) -> None:
        """Raises OSError where there is none."""
        self._context = ssl.create_default_context(cafile=str(certificate))
        self._context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        super().__init__()

    def init_poolmanager(self, *words: Any, **options: Any) -> None:
        super().init_poolmanager(*words, **options, ssl_context=self._context)

    def cert_verify(self, *_words: Any, **_options: Any) -> None:
        """The context has what is needed; the base class would add authorities of its own."""


def _resource_slice(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": "ResourceSlice", "metadata": metadata, "spec": spec}
