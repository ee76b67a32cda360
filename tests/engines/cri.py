"""A client of the Container Runtime Interface: what a kubelet asks of containerd and CRI-O, over gRPC.

Only the messages and fields that the tests use, by their numbers in k8s.io/cri-api, pkg/apis/runtime/v1/api.proto.
"""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict, ParseDict

from hybrid_kubernetes_agent.messages import message_classes

PACKAGE = "runtime.v1"
SERVICE = f"/{PACKAGE}.RuntimeService"
CALL_S = 120.0
# enum NamespaceMode: the pod uses the node's network, which needs no plugin.
NODE = 2
STATES = ("created", "running", "exited", "unknown")

# As message_classes takes them.
_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "VersionRequest": ("version 1 string",),
    "VersionResponse": ("runtime_name 2 string", "runtime_version 3 string", "runtime_api_version 4 string"),
    "PodSandboxMetadata": ("name 1 string", "uid 2 string", "namespace 3 string", "attempt 4 uint32"),
    "NamespaceOption": ("network 1 int32", "pid 2 int32", "ipc 3 int32"),
    "LinuxSandboxSecurityContext": ("namespace_options 1 NamespaceOption",),
    "LinuxPodSandboxConfig": ("cgroup_parent 1 string", "security_context 2 LinuxSandboxSecurityContext"),
    "PodSandboxConfig": (
        *("metadata 1 PodSandboxMetadata", "hostname 2 string", "log_directory 3 string", "labels 6 map"),
        *("annotations 7 map", "linux 8 LinuxPodSandboxConfig"),
    ),
    "RunPodSandboxRequest": ("config 1 PodSandboxConfig", "runtime_handler 2 string"),
    "RunPodSandboxResponse": ("pod_sandbox_id 1 string",),
    "StopPodSandboxRequest": ("pod_sandbox_id 1 string",),
    "StopPodSandboxResponse": (),
    "RemovePodSandboxRequest": ("pod_sandbox_id 1 string",),
    "RemovePodSandboxResponse": (),
    "ContainerMetadata": ("name 1 string", "attempt 2 uint32"),
    "ImageSpec": ("image 1 string",),
    "KeyValue": ("key 1 string", "value 2 string"),
    "ContainerConfig": (
        *("metadata 1 ContainerMetadata", "image 2 ImageSpec", "command 3 [string]", "args 4 [string]"),
        *("envs 6 [KeyValue]", "labels 9 map", "annotations 10 map", "log_path 11 string", "tty 14 bool"),
    ),
    "CreateContainerRequest": (
        *("pod_sandbox_id 1 string", "config 2 ContainerConfig", "sandbox_config 3 PodSandboxConfig"),
    ),
    "CreateContainerResponse": ("container_id 1 string",),
    "StartContainerRequest": ("container_id 1 string",),
    "StartContainerResponse": (),
    "StopContainerRequest": ("container_id 1 string", "timeout 2 int64"),
    "StopContainerResponse": (),
    "RemoveContainerRequest": ("container_id 1 string",),
    "RemoveContainerResponse": (),
    "ContainerStatusRequest": ("container_id 1 string",),
    "ContainerStatus": (
        *("id 1 string", "state 3 int32", "exit_code 7 int32", "reason 10 string", "message 11 string"),
        "log_path 15 string",
    ),
    "ContainerStatusResponse": ("status 1 ContainerStatus",),
    "ExecSyncRequest": ("container_id 1 string", "cmd 2 [string]", "timeout 3 int64"),
    "ExecSyncResponse": ("exit_code 3 int32",),
}


class CRIError(Exception):
    """What the engine told the kubelet."""


class CRI:
    """One connection to an engine's socket. Requests and answers are dictionaries."""

    def __init__(self, socket: Path) -> None:
        self._channel = grpc.insecure_channel(f"unix://{socket}")
        self._class = message_classes(PACKAGE, _MESSAGES)

    def __enter__(self) -> "CRI":
        return self

    def __exit__(self, kind: type | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self._channel.close()

    def call(self, method: str, **fields: object) -> dict[str, Any]:
        """Raises CRIError."""
        request = ParseDict(fields, self._class(f"{method}Request")())
        answer_class = self._class(f"{method}Response")
        stub = self._channel.unary_unary(
            f"{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer_class.FromString,
        )
        try:
            answer = stub(request, timeout=CALL_S, wait_for_ready=True)
        except grpc.RpcError as error:
            raise CRIError(error.details()) from error
        return MessageToDict(answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
