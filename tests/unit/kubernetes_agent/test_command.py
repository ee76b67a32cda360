"""The command, as a process of its own, with the real runtime on the double of a machine."""

import json
import os
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.host.checkout import checkout_root
from tests.free_ports import free_ports
from tests.unit.kubernetes_agent.kubelet_double import KubeletDouble
from tests.unit.kubernetes_agent.published_api import API, DEVICE_PLUGIN
from tests.unit.runtime.remoteproc_double import RemoteprocDouble

MODULES = checkout_root() / "runtime/kubernetes-agent"
LAUNCHER = checkout_root() / "runtime/bin/hybrid-runtime"
END_S = 15.0


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "hybrid_kubernetes_agent", *options]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(MODULES)}


def test_a_node_with_a_core(tmp_path: Path, kubelet_folder: Path, published: Callable[[str], API]) -> None:
    machine = RemoteprocDouble(tmp_path / "machine")
    machine.add("motor")
    kubelet = KubeletDouble(kubelet_folder / "device-plugins", published(DEVICE_PLUGIN))
    kubelet.start()
    runtime = shlex.join([sys.executable, "-IS", str(LAUNCHER), "--sysroot", str(machine.sysroot)])
    (port,) = free_ports(1)
    options = ("--runtime", runtime, "--kubelet", str(kubelet_folder), "--cdi", str(tmp_path / "cdi"), "--look", "0.5")
    words = command(*options, "--kind", "motor=r5f", "--metrics", str(port))
    agent = subprocess.Popen(words, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        kubelet.wait_for("hybrid-runtime.io/r5f", {"motor": "Healthy"})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            told = page.read().decode()
        assert 'hybrid_devices{health="healthy",resource="hybrid-runtime.io/r5f"} 1.0' in told
        assert 'hybrid_processors{state="offline"} 1.0' in told
        assert 'hybrid_starts_total{processor="motor"} 0.0' in told
        agent.send_signal(signal.SIGTERM)
        _, said = agent.communicate(timeout=Deadline(END_S).seconds)
    finally:
        agent.kill()
        agent.wait()
        kubelet.stop()
    assert agent.returncode == 0
    events: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
    texts = [event["text"] for event in events]
    assert "motor of hybrid-runtime.io/r5f: may be given away" in texts
    assert "hybrid-runtime.io/r5f is registered" in texts
    assert {event["level"] for event in events} == {"info"}


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--help",), 0, "hybrid-kubernetes-agent --kind 10000.r5f=motor"),
        (("--version",), 0, "0.2.0"),
        (("--kind", "motor"), 2, "`motor` is not PROCESSOR=KIND"),
        (("--look", "0"), 2, "--look"),
        (("--offer", "dra"), 2, "--node is missing"),
        (("--offer", "dra", "--node", "a"), 1, "no way to the API server"),
    ],
)
def test_words_of_the_command(options: tuple[str, ...], code: int, says: str) -> None:
    told = subprocess.run(command(*options), env=environment(), capture_output=True, text=True, check=False)
    assert told.returncode == code
    assert says in told.stdout + told.stderr
