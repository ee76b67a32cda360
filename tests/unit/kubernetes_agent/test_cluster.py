"""What the API server is asked, by the client that clusters are asked by."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_kubernetes_agent.dra.cluster import Cluster, ClusterError, server_of_pod
from hybrid_kubernetes_agent.dra.resource_slice import by_slice_name, slice_spec
from hybrid_kubernetes_agent.processor import Processor
from hybrid_kubernetes_agent.resource import resources_of
from tests.kubernetes.certificates import Authority
from tests.unit.kubernetes_agent.api_server_double import APIServerDouble, serving
from tests.unit.kubernetes_agent.conftest import FREE

NAME = "node-a-hybrid-runtime.io"
SLICES = "/apis/resource.k8s.io/v1/resourceslices"
CLAIM = "/apis/resource.k8s.io/v1/namespaces/factory/resourceclaims/motor"


@pytest.fixture
def server() -> APIServerDouble:
    found = APIServerDouble()
    found.objects["/api/v1/nodes/node-a"] = {"metadata": {"name": "node-a", "uid": "uid-of-node"}}
    return found


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def account(authority: Authority) -> Path:
    """What a pod finds of its service account."""
    (authority.folder / "token").write_text("first\n")
    return authority.folder


@pytest.fixture
def cluster(server: APIServerDouble, account: Path) -> Iterator[Cluster]:
    with serving(server) as url:
        yield Cluster(url, account)


def spec(*processors: Processor) -> dict[str, object]:
    return slice_spec("node-a", by_slice_name(resources_of(processors, {})))


def test_a_slice_is_made_and_changed(server: APIServerDouble, cluster: Cluster) -> None:
    assert cluster.keep_slice(NAME, spec(*FREE))
    kept = server.objects[f"{SLICES}/{NAME}"]
    assert kept["kind"] == "ResourceSlice"
    assert kept["metadata"]["ownerReferences"][0]["uid"] == "uid-of-node"
    assert kept["spec"]["pool"] == {"name": "node-a", "generation": 1, "resourceSliceCount": 1}
    # Nothing is sent for what is there already.
    server.requests.clear()
    assert not cluster.keep_slice(NAME, spec(*FREE))
    assert server.requests == [("GET", f"{SLICES}/{NAME}")]
    assert cluster.keep_slice(NAME, spec(FREE[0]))
    kept = server.objects[f"{SLICES}/{NAME}"]
    assert [device["name"] for device in kept["spec"]["devices"]] == ["10000-r5f"]
    assert kept["spec"]["pool"]["generation"] == 2
    del server.objects[f"{SLICES}/{NAME}"]
    assert cluster.keep_slice(NAME, spec(FREE[0]))


def test_a_claim_is_read(server: APIServerDouble, cluster: Cluster) -> None:
    server.objects[CLAIM] = {"metadata": {"uid": "uid-1"}}
    assert cluster.claim("factory", "motor")["metadata"]["uid"] == "uid-1"
    with pytest.raises(ClusterError, match="404 Not Found"):
        cluster.claim("factory", "camera")


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_server_that_refuses(server: APIServerDouble, cluster: Cluster, status: int) -> None:
    server.refuses = status
    with pytest.raises(ClusterError, match=f"the API server refuses: {status} .*not for you"):
        cluster.keep_slice(NAME, spec(*FREE))
    with pytest.raises(ClusterError, match=f"the API server refuses: {status}"):
        cluster.claim("factory", "motor")


def test_no_server(account: Path) -> None:
    with serving(APIServerDouble()) as url:
        cluster = Cluster(url, account)
    with pytest.raises(ClusterError, match="the API server does not answer"):
        cluster.claim("factory", "motor")


def test_a_token_that_is_replaced(server: APIServerDouble, cluster: Cluster, account: Path) -> None:
    server.objects[CLAIM] = {"metadata": {"uid": "uid-1"}}
    server.token = "second"
    with pytest.raises(ClusterError, match="401 Unauthorized"):
        cluster.claim("factory", "motor")
    (account / "token").write_text("second")
    assert cluster.claim("factory", "motor")["metadata"]["uid"] == "uid-1"
    (account / "token").unlink()
    with pytest.raises(ClusterError, match=r"the API server does not answer: .*token"):
        cluster.claim("factory", "motor")


def test_the_server_is_the_cluster_s_own(
    server: APIServerDouble, authority: Authority, account: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Its authority is as bare as that of some clusters. Another authority and another name are refused."""
    server.objects[CLAIM] = {"metadata": {"uid": "uid-1"}}
    with serving(server, authority.server(["127.0.0.1"])) as url:
        assert Cluster(url, account).claim("factory", "motor")["metadata"]["uid"] == "uid-1"
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    for certificate in (stranger.server(["127.0.0.1"]), authority.server(["127.0.0.2"])):
        server.requests.clear()
        with serving(server, certificate) as url, pytest.raises(ClusterError, match="certificate verify failed"):
            Cluster(url, account).claim("factory", "motor")
        assert not server.requests


@pytest.mark.parametrize("content", [[], "text", None])
def test_an_answer_that_is_no_object(server: APIServerDouble, cluster: Cluster, content: object) -> None:
    """As a proxy in between may answer."""
    server.objects[CLAIM] = content
    with pytest.raises(ClusterError, match=r"no object|404"):
        cluster.claim("factory", "motor")


@pytest.mark.parametrize(
    ("host", "url"), [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_the_server_of_a_pod(monkeypatch: pytest.MonkeyPatch, host: str, url: str) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    assert server_of_pod() == url


@pytest.mark.parametrize(
    ("names", "devices"),
    [
        (["10000.r5f", "11000.r5f"], ["10000-r5f", "11000-r5f"]),
        (["a.b", "a-b"], ["remoteproc0", "remoteproc1"]),
        (["imx-rproc", "imx-rproc"], ["remoteproc0", "remoteproc1"]),
        (["Motor_1", "m" * 70], ["motor-1", "m" * 63]),
        (["--", ""], ["remoteproc0", "remoteproc1"]),
    ],
)
def test_names_of_devices(names: list[str], devices: list[str]) -> None:
    """DNS labels, each once."""
    processors = [Processor(f"remoteproc{number}", name, "r5f", "offline") for number, name in enumerate(names)]
    assert list(by_slice_name(resources_of(processors, {}))) == devices


def test_long_values(server: APIServerDouble, cluster: Cluster) -> None:
    """A value has at most 64 characters."""
    assert cluster.keep_slice(NAME, spec(Processor("remoteproc0", "a", "r5f", "offline", board="b" * 80)))
    (device,) = server.objects[f"{SLICES}/{NAME}"]["spec"]["devices"]
    assert device["attributes"]["board"] == {"string": "b" * 64}
