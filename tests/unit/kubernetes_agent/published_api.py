"""The kubelet's APIs as Kubernetes has published them, compiled."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

PROTOS = Path(__file__).with_name("protos")
DEVICE_PLUGIN = "deviceplugin_v1beta1"
DRA = "dra_v1"
DRA_HEALTH = "dra_health_v1alpha1"
REGISTRATION = "pluginregistration_v1"


@dataclass(frozen=True)
class API:
    """What protoc makes of one file."""

    messages: ModuleType
    stubs: ModuleType


def compiled(folder: Path, name: str) -> API:
    """`folder` takes the modules."""
    protoc = importlib.import_module("grpc_tools.protoc")
    words = [f"-I{PROTOS}", f"--python_out={folder}", f"--grpc_python_out={folder}", f"{PROTOS}/{name}.proto"]
    assert protoc.main(["protoc", *words]) == 0
    sys.path.insert(0, str(folder))
    try:
        return API(importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc"))
    finally:
        sys.path.remove(str(folder))
