"""What Prometheus is told."""

from dataclasses import replace

from prometheus_client import generate_latest

from hybrid_kubernetes_agent.metrics import Metrics
from hybrid_kubernetes_agent.processor import Pod, Processor
from tests.unit.kubernetes_agent.conftest import FREE, POD


def told(metrics: Metrics, *lines: str) -> None:
    text = generate_latest(metrics.registry).decode()
    assert not set(lines) - set(text.splitlines()), text


def held(identifier: str, pod: Pod = POD) -> Processor:
    return replace(FREE[0], state="running", holder=identifier, pod=pod, starts=4, crashes=2)


def test_starts_and_crashes(metrics: Metrics) -> None:
    metrics.show([held("1"), replace(FREE[1], starts=1)], {})
    told(
        metrics,
        'hybrid_starts_total{processor="10000.r5f"} 4.0',
        'hybrid_starts_total{processor="11000.r5f"} 1.0',
        'hybrid_crashes_total{processor="10000.r5f"} 2.0',
        "hybrid_containers 1.0",
        'hybrid_processors{state="offline"} 1.0',
        'hybrid_processors{state="running"} 1.0',
    )


def test_processors_of_one_name(metrics: Metrics) -> None:
    """imx_rproc calls all of its cores the same."""
    metrics.show([replace(processor, name="imx-rproc") for processor in FREE], {})
    told(
        metrics, 'hybrid_starts_total{processor="remoteproc0"} 0.0', 'hybrid_starts_total{processor="remoteproc1"} 0.0'
    )


def test_a_container_that_comes_back_is_a_restart(metrics: Metrics) -> None:
    """And neither the next look at it, nor the container of another pod."""
    for processor in (held("1"), held("1"), FREE[0], held("2"), held("2"), FREE[0], held("3", replace(POD, name="x"))):
        metrics.show([processor], {})
    told(metrics, 'hybrid_restarts_total{processor="10000.r5f"} 1.0')


def test_a_state_that_is_no_more(metrics: Metrics) -> None:
    metrics.show(FREE, {})
    metrics.show([held("1"), held("2")], {})
    assert b'state="offline"' not in generate_latest(metrics.registry)
