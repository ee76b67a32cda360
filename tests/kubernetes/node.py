"""A board as a node of a cluster: containerd and a kubelet on it, told of the runtime as docs/kubernetes.md says."""

import json
from pathlib import Path

from hybrid_hil.board.qemu import QemuBoard
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.runtime import DeployedRuntime
from tests.engines.daemon import CONTAINERD_SOCKET, Daemon
from tests.engines.firmware_image import archive
from tests.engines.pause import pause, with_pause
from tests.kubernetes.control_plane import FIRST_SERVICE, FROM_BOARDS

BOOT_S = 300.0
LOAD_S = 300.0
FIRMWARE = "/fw.elf"
CONFIGURATION = "/etc/containerd/config.toml"
SETTINGS = "/etc/kubernetes/kubelet.json"
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
NETWORK = "/etc/cni/net.d/10-bridge.conflist"
_BRIDGE = {
    "cniVersion": "0.4.0",
    "name": "pods",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "pods",
            "isGateway": True,
            "ipMasq": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]},
        }
    ],
}


class Node:
    """Of that name in its cluster. `port` is where its kubelet serves, and its health is on the next one."""

    def __init__(self, board: QemuBoard, name: str, port: int, kubeconfig: Path) -> None:
        self._board = board
        self.shell = shell = board.shell
        self.runtime = DeployedRuntime(shell)
        self.name = name
        self.port = port
        self._kubeconfig = kubeconfig
        # By the names of their images.
        self.firmware: dict[str, BuiltFirmware] = {}
        self.containerd = Daemon(shell, "containerd", "containerd", "ctr version")
        words = f"kubelet --config {SETTINGS} --kubeconfig {KUBECONFIG} --hostname-override {name} -v 2"
        ready = f"wget -q -O - http://127.0.0.1:{port + 1}/healthz"
        self.kubelet = Daemon(shell, "kubelet", words, ready)

    def prepare(self) -> None:
        """Everything but its kubelet, which `join` starts."""
        self.containerd.ensure()
        self.runtime.run("install", "containerd")
        self.shell.put(with_pause(self.shell.get(CONFIGURATION).decode()).encode(), CONFIGURATION)
        self.containerd.kill("TERM")
        self.containerd.ensure()
        self.load(pause(self.shell))
        self.shell.run("mkdir -p /etc/kubernetes /etc/cni/net.d /var/lib/kubelet")
        self.shell.put(json.dumps(_BRIDGE).encode(), NETWORK)
        self.shell.put(json.dumps(self._settings()).encode(), SETTINGS)
        self.shell.put(self._kubeconfig, KUBECONFIG, 0o600)

    def _settings(self) -> dict[str, object]:
        return {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
            "cgroupDriver": "cgroupfs",
            "failSwapOn": False,
            "address": "127.0.0.1",
            "port": self.port,
            "healthzPort": self.port + 1,
            "nodeStatusUpdateFrequency": "4s",
            # An emulated disk is small, and what is on it is this test's.
            "evictionHard": {"memory.available": "20Mi"},
            "imageGCHighThresholdPercent": 100,
        }

    def join(self, server_port: int) -> None:
        """The first address of services leads to the API server, as kube-proxy would have it."""
        rule = f"-d {FIRST_SERVICE} -p tcp --dport 443 -j DNAT --to-destination {FROM_BOARDS}:{server_port}"
        self.shell.run(f"iptables -t nat -A PREROUTING {rule} && iptables -t nat -A OUTPUT {rule}")
        self.containerd.ensure()
        self.kubelet.ensure()

    def restart(self, server_port: int) -> None:
        """Its power is cut. What is on its disk stays."""
        self._board.power_cycle(Deadline(BOOT_S))
        self.join(server_port)

    def load(self, image: bytes | Path) -> None:
        file = "/var/tmp/image.tar"
        self.shell.put(image, file, deadline=Deadline(LOAD_S))
        self.shell.run(f"ctr -n k8s.io images import {file} && rm {file}", deadline=Deadline(LOAD_S))

    def load_firmware(self, tag: str, firmware: BuiltFirmware) -> None:
        self.firmware[tag] = firmware
        self.load(archive(tag, FIRMWARE, self.shell.get(firmware.path_on_board), [FIRMWARE]))
