"""hybrid-kubernetes-agent: runs on each node with auxiliary cores."""

import shlex
import signal
import threading
from pathlib import Path

import click
from prometheus_client import start_http_server

from hybrid_kubernetes_agent import VERSION, cdi, device_plugin
from hybrid_kubernetes_agent.agent import Agent, Settings
from hybrid_kubernetes_agent.log import log_to_stderr
from hybrid_kubernetes_agent.metrics import Metrics


def _kinds(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        processor, equals, kind = pair.partition("=")
        if not processor or not equals or not kind:
            raise click.BadParameter(f"`{pair}` is not PROCESSOR=KIND", param_hint="--kind")
        found[processor] = kind
    return found


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--runtime", default="hybrid-runtime", show_default=True, help="How the runtime is called.")
@click.option(
    "--plugins", type=click.Path(path_type=Path), default=device_plugin.FOLDER, show_default=True,
    help="The kubelet's folder for sockets of device plugins.",
)  # fmt: skip
@click.option(
    "--cdi", "specifications", type=click.Path(path_type=Path), default=cdi.FOLDER, show_default=True,
    help="Where engines look for CDI specifications.",
)  # fmt: skip
@click.option(
    "--kind", "kinds", multiple=True, metavar="PROCESSOR=KIND", help="Calls the kind of a processor otherwise."
)
@click.option("--look", "look_s", type=click.FloatRange(min=0.5), default=5.0, show_default=True, help="Seconds.")
@click.option("--metrics", "port", type=click.IntRange(0, 65535), default=0, help="Port of /metrics.  [default: none]")
@click.option("--log", "level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
@click.version_option(VERSION, message="%(version)s")
def main(
    runtime: str, plugins: Path, specifications: Path, kinds: tuple[str, ...], look_s: float, port: int, level: str
) -> None:
    """Offer the processors of this node to its kubelet, until it is told to end.

    Each kind of core is a resource, such as hybrid-runtime.io/r5f. A pod that has one in its limits gets a processor
    that no other pod has.

    \b
    Examples:
      hybrid-kubernetes-agent
      hybrid-kubernetes-agent --kind 10000.r5f=motor --metrics 9464
    Exit codes: 0 ended by TERM or INT, 2 wrong usage.
    """
    settings = Settings(shlex.split(runtime), plugins, specifications, _kinds(kinds), look_s)
    log_to_stderr(level)
    metrics = Metrics()
    if port:
        start_http_server(port, registry=metrics.registry)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    Agent(settings, metrics).run(stop)


if __name__ == "__main__":
    main()
