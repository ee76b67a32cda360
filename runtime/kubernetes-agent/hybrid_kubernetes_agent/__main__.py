"""hybrid-kubernetes-agent: runs on each node with auxiliary cores."""

import shlex
import signal
import threading
from pathlib import Path

import click
from prometheus_client import start_http_server

from hybrid_kubernetes_agent import VERSION, cdi
from hybrid_kubernetes_agent.agent import Agent, Settings
from hybrid_kubernetes_agent.device_plugin.plugins import DevicePlugins
from hybrid_kubernetes_agent.dra.allocation import DynamicAllocation
from hybrid_kubernetes_agent.dra.cluster import ACCOUNT, Cluster, ClusterError, server_of_pod
from hybrid_kubernetes_agent.log import log_to_stderr
from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.offer import Offer

KUBELET = Path("/var/lib/kubelet")


def _kinds(_context: click.Context, _option: click.Parameter, pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        processor, equals, kind = pair.partition("=")
        if not processor or not equals or not kind:
            raise click.BadParameter(f"`{pair}` is not PROCESSOR=KIND")
        found[processor] = kind
    return found


def _dynamic_allocation(kubelet: Path, node: str, server: str, account: Path, metrics: Metrics) -> Offer:
    """Raises click.ClickException where there is no way to the cluster, or to the claims of an earlier agent."""
    if not node:
        raise click.UsageError("--node is missing (give the node's name, as spec.nodeName of the agent's pod)")
    try:
        return DynamicAllocation(kubelet, node, Cluster(server or server_of_pod(), account), metrics)
    except (ClusterError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from error


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    *("--offer", "way"), type=click.Choice(["device-plugin", "dra"]), default="device-plugin", show_default=True,
    envvar="HYBRID_AGENT_OFFER", show_envvar=True, help="How processors are offered. A node offers them in one way.",
)  # fmt: skip
@click.option(
    *("--kind", "kinds"), multiple=True, metavar="PROCESSOR=KIND", callback=_kinds,
    envvar="HYBRID_AGENT_KINDS", show_envvar=True, help="Calls the kind of a processor otherwise.",
)  # fmt: skip
@click.option("--runtime", default="hybrid-runtime", show_default=True, help="How the runtime is called.")
@click.option(
    "--kubelet", type=click.Path(path_type=Path), default=KUBELET, show_default=True, help="The kubelet's folder.",
)  # fmt: skip
@click.option(
    *("--cdi", "specifications"), type=click.Path(path_type=Path), default=cdi.FOLDER, show_default=True,
    help="Where engines look for CDI specifications.",
)  # fmt: skip
@click.option("--node", default="", envvar="NODE_NAME", show_envvar=True, help="Name of this node, for DRA.")
@click.option("--server", default="", metavar="URL", help="The API server, for DRA.  [default: as pods are told]")
@click.option(
    "--account", type=click.Path(path_type=Path), default=ACCOUNT, show_default=True,
    help="A folder with `token` and `ca.crt`, for DRA.",
)  # fmt: skip
@click.option("--look", "look_s", type=click.FloatRange(min=0.5), default=5.0, show_default=True, help="Seconds.")
@click.option("--metrics", "port", type=click.IntRange(0, 65535), default=0, help="Port of /metrics.  [default: none]")
@click.option("--log", "level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@click.version_option(VERSION, message="%(version)s")
def main(
    *,
    way: str,
    kinds: dict[str, str],
    runtime: str,
    kubelet: Path,
    specifications: Path,
    node: str,
    server: str,
    account: Path,
    look_s: float,
    port: int,
    level: str,
) -> None:
    """Offer the processors of this node to its cluster, until it is told to end.

    Each kind of core is a resource, such as hybrid-runtime.io/r5f. A pod that has one in its limits gets a processor
    that no other pod has. With --offer dra, claims choose among the devices of the ResourceSlice.

    \b
    Examples:
      hybrid-kubernetes-agent
      hybrid-kubernetes-agent --kind 10000.r5f=motor --metrics 9464
      hybrid-kubernetes-agent --offer dra --node "$(hostname)" --server https://10.0.0.1:6443 --account /etc/agent
    Exit codes: 0 ended by TERM or INT, 1 no way to the cluster, 2 wrong usage.
    """
    log_to_stderr(level)
    metrics = Metrics()
    offer: Offer = (
        _dynamic_allocation(kubelet, node, server, account, metrics)
        if way == "dra"
        else DevicePlugins(kubelet / "device-plugins", metrics)
    )
    if port:
        start_http_server(port, registry=metrics.registry)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    Agent(Settings(shlex.split(runtime), specifications, kinds, look_s), offer, metrics).run(stop)


if __name__ == "__main__":
    main()
