"""The device plugin API of the kubelet, as far as it is used here (k8s.io/kubelet, deviceplugin/v1beta1/api.proto)."""

from hybrid_kubernetes_agent.messages import message_classes

API_VERSION = "v1beta1"
REGISTER = f"/{API_VERSION}.Registration/Register"
SERVICE = f"{API_VERSION}.DevicePlugin"
HEALTHY = "Healthy"
UNHEALTHY = "Unhealthy"

message = message_classes(
    API_VERSION,
    {
        "Empty": (),
        "DevicePluginOptions": ("pre_start_required 1 bool", "get_preferred_allocation_available 2 bool"),
        "RegisterRequest": (
            *("version 1 string", "endpoint 2 string", "resource_name 3 string", "options 4 DevicePluginOptions"),
        ),
        "Device": ("ID 1 string", "health 2 string"),
        "ListAndWatchResponse": ("devices 1 [Device]",),
        "ContainerAllocateRequest": ("devices_ids 1 [string]",),
        "AllocateRequest": ("container_requests 1 [ContainerAllocateRequest]",),
        "CDIDevice": ("name 1 string",),
        "ContainerAllocateResponse": ("envs 1 map", "cdi_devices 5 [CDIDevice]"),
        "AllocateResponse": ("container_responses 1 [ContainerAllocateResponse]",),
    },
)
