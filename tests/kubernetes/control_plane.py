"""A control plane on this machine, on loopback: etcd, API server, controllers and scheduler, as processes."""

import base64
import json
import os
import secrets
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

from hybrid_hil.deadline import Deadline
from tests.free_ports import free_ports
from tests.kubernetes.binaries import Binaries
from tests.kubernetes.certificates import Authority, token_key

READY_S = 120.0
END_S = 20.0
COMMAND_S = 240.0
BETWEEN_LOOKS_S = 0.5
# This machine as a board sees it (QEMU's user network), and the first address of services.
FROM_BOARDS = "10.0.2.2"
SERVICES = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
_USERS = {
    "admin": ("admin", "system:masters"),
    "scheduler": ("system:kube-scheduler", ""),
    "controllers": ("system:kube-controller-manager", ""),
}


class ControlPlane:
    """Of one cluster, for `nodes` by their names. Runs between `__enter__` and `__exit__`."""

    def __init__(self, binaries: Binaries, folder: Path, nodes: tuple[str, ...]) -> None:
        self._binaries = binaries
        self.folder = folder
        self.nodes = nodes
        self._authority = Authority(folder)
        self._etcd_client, self._etcd_peer, self.port, self._controllers, self._scheduler = free_ports(5)
        self._tokens = {name: secrets.token_hex(16) for name in (*_USERS, *nodes)}
        self._processes = ExitStack()

    def __enter__(self) -> "ControlPlane":
        try:
            self._start()
        except BaseException:
            self._processes.close()
            raise
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._processes.close()

    def kubeconfig(self, user: str, *, from_board: bool = False) -> Path:
        """For a user or a node. Boards reach this machine by another address."""
        host = FROM_BOARDS if from_board else "127.0.0.1"
        path = self.folder / f"{user}{'-board' if from_board else ''}.conf"
        authority = base64.b64encode(self._authority.certificate.read_bytes()).decode()
        cluster = {"server": f"https://{host}:{self.port}", "certificate-authority-data": authority}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "cluster",
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": user}}],
            "clusters": [{"name": "cluster", "cluster": cluster}],
            "users": [{"name": user, "user": {"token": self._tokens[user]}}],
        }
        path.touch(0o600)
        path.write_text(json.dumps(config))
        return path

    def kubectl(self, *words: str, stdin: str = "", check: bool = True) -> str:
        """What it prints. Raises CalledProcessError, with its own words as a note."""
        command = [str(self._binaries.here("kubectl")), "--kubeconfig", str(self.kubeconfig("admin")), *words]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=COMMAND_S, check=False)
        if check and done.returncode:
            error = subprocess.CalledProcessError(done.returncode, command)
            error.add_note(done.stderr)
            raise error
        return done.stdout if check else done.stdout + done.stderr

    def get(self, *words: str) -> dict[str, Any]:
        """An object, or a list of them."""
        found: dict[str, Any] = json.loads(self.kubectl("get", *words, "-o", "json"))
        return found

    def _start(self) -> None:
        server, key = self._authority.server(["127.0.0.1", FROM_BOARDS, FIRST_SERVICE])
        tokens = self.folder / "tokens.csv"
        tokens.touch(0o600)
        tokens.write_text("\n".join(self._token_lines()))
        etcd = f"http://127.0.0.1:{self._etcd_client}"
        peer = f"http://127.0.0.1:{self._etcd_peer}"
        self._spawn(
            [self._binaries.etcd(), "--name=cluster", f"--data-dir={self.folder / 'etcd'}", "--unsafe-no-fsync"],
            {"listen-client-urls": etcd, "advertise-client-urls": etcd, "listen-peer-urls": peer}
            | {"initial-advertise-peer-urls": peer, "initial-cluster": f"cluster={peer}"},
        )
        signing = token_key(self.folder)
        self._spawn(
            [self._binaries.here("kube-apiserver"), "--authorization-mode=Node,RBAC", "--allow-privileged"],
            {"etcd-servers": etcd, "secure-port": str(self.port), "bind-address": "127.0.0.1"}
            | {"tls-cert-file": str(server), "tls-private-key-file": str(key), "token-auth-file": str(tokens)}
            | {"service-account-issuer": "https://kubernetes.default.svc", "service-cluster-ip-range": SERVICES}
            | {"service-account-signing-key-file": str(signing), "service-account-key-file": str(signing)}
            | {"enable-admission-plugins": "NodeRestriction", "kubelet-preferred-address-types": "Hostname"}
            | {"advertise-address": FROM_BOARDS, "endpoint-reconciler-type": "none"},
        )
        self._await("the API server", lambda: self.kubectl("get", "--raw", "/readyz", check=False) == "ok")
        self._spawn(
            [self._binaries.here("kube-controller-manager"), "--use-service-account-credentials"],
            {"kubeconfig": str(self.kubeconfig("controllers")), "root-ca-file": str(self._authority.certificate)}
            | {"service-account-private-key-file": str(signing), "secure-port": str(self._controllers)}
            | {"bind-address": "127.0.0.1", "node-monitor-grace-period": "20s", "leader-elect": "false"}
            | {"authorization-always-allow-paths": "/healthz", "cert-dir": str(self.folder / "controllers")},
        )
        self._spawn(
            [self._binaries.here("kube-scheduler")],
            {"kubeconfig": str(self.kubeconfig("scheduler")), "secure-port": str(self._scheduler)}
            | {"bind-address": "127.0.0.1", "leader-elect": "false", "cert-dir": str(self.folder / "scheduler")},
        )
        self._await("the namespace", lambda: "default" in self.kubectl("get", "serviceaccounts", check=False))

    def _token_lines(self) -> list[str]:
        users = _USERS | {node: (f"system:node:{node}", "system:nodes") for node in self.nodes}
        return [f'{self._tokens[name]},{user},{name},"{group}"' for name, (user, group) in users.items()]

    def _spawn(self, command: list[object], options: Mapping[str, str]) -> None:
        words = [*map(str, command), *(f"--{name}={value}" for name, value in options.items())]
        name = Path(words[0]).name
        log = self._processes.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self._processes.callback(_end, process)

    def _await(self, what: str, is_there: Callable[[], object]) -> None:
        for _ in Deadline(READY_S).ticks(BETWEEN_LOOKS_S):
            if is_there():
                return
        raise AssertionError(f"{what} is not there (see {self.folder})")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
