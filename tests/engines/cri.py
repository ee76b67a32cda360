"""A client of the Container Runtime Interface: what a kubelet asks of containerd and CRI-O, over gRPC.

Only the messages and fields that the tests use, by their numbers in k8s.io/cri-api, pkg/apis/runtime/v1/api.proto.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.json_format import MessageToDict, ParseDict

PACKAGE = "runtime.v1"
SERVICE = f"/{PACKAGE}.RuntimeService"
CALL_S = 120.0
# enum NamespaceMode: the pod uses the node's network, which needs no plugin.
NODE = 2
STATES = ("created", "running", "exited", "unknown")

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "string": _Field.TYPE_STRING,
    "bool": _Field.TYPE_BOOL,
    "int32": _Field.TYPE_INT32,
    "int64": _Field.TYPE_INT64,
    "uint32": _Field.TYPE_UINT32,
}
# Fields as `name number type`: a name with a capital letter is a message, `map` one of strings to strings, and what
# stands in brackets comes several times.
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


def _define(message: descriptor_pb2.DescriptorProto, field_text: str) -> None:
    name, number, kind = field_text.split()
    field = message.field.add(name=name, number=int(number), label=_Field.LABEL_OPTIONAL)
    if kind == "map":
        # What a compiler makes of map<string, string>: a repeated message with a key and a value.
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        for number_in_entry, part in enumerate(("key", "value"), 1):
            entry.field.add(name=part, number=number_in_entry, type=_Field.TYPE_STRING, label=_Field.LABEL_OPTIONAL)
        kind = f"[{message.name}.{entry.name}]"
    if kind.startswith("["):
        field.label, kind = _Field.LABEL_REPEATED, kind.strip("[]")
    if kind in _TYPES:
        field.type = _TYPES[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"


def _classes() -> Callable[[str], Any]:
    file = descriptor_pb2.FileDescriptorProto(name="cri.proto", package=PACKAGE, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field in fields:
            _define(message, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{name}"))


class CRIError(Exception):
    """What the engine told the kubelet."""


class CRI:
    """One connection to an engine's socket. Requests and answers are dictionaries."""

    def __init__(self, socket: Path) -> None:
        self._channel = grpc.insecure_channel(f"unix://{socket}")
        self._class = _classes()

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
