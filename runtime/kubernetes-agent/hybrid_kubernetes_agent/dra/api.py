"""The APIs of the kubelet for DRA drivers (k8s.io/kubelet: pluginregistration/v1, dra/v1, dra-health/v1)."""

from hybrid_kubernetes_agent.messages import message_classes

REGISTRATION = "pluginregistration.Registration"
PLUGIN_TYPE = "DRAPlugin"
DRIVER = "k8s.io.kubelet.pkg.apis.dra.v1.DRAPlugin"
# Kubernetes 1.36 asks for the first, later ones for the second as well. Their messages are the same.
HEALTH = ("v1alpha1.DRAResourceHealth", "v1.DRAResourceHealth")
# What a kubelet looks for in a registration.
VERSIONS = ("v1.DRAPlugin", *HEALTH)
HEALTHY, UNHEALTHY = 1, 2

registration = message_classes(
    "pluginregistration",
    {
        "PluginInfo": ("type 1 string", "name 2 string", "endpoint 3 string", "supported_versions 4 [string]"),
        "RegistrationStatus": ("plugin_registered 1 bool", "error 2 string"),
        "RegistrationStatusResponse": (),
        "InfoRequest": (),
    },
)
driver = message_classes(
    "k8s.io.kubelet.pkg.apis.dra.v1",
    {
        "Claim": ("namespace 1 string", "uid 2 string", "name 3 string"),
        "Device": (
            *("request_names 1 [string]", "pool_name 2 string", "device_name 3 string", "cdi_device_ids 4 [string]"),
        ),
        "NodePrepareResourcesRequest": ("claims 1 [Claim]",),
        "NodePrepareResourceResponse": ("devices 1 [Device]", "error 2 string"),
        "NodePrepareResourcesResponse": ("claims 1 map<NodePrepareResourceResponse>",),
        "NodeUnprepareResourcesRequest": ("claims 1 [Claim]",),
        "NodeUnprepareResourceResponse": ("error 1 string",),
        "NodeUnprepareResourcesResponse": ("claims 1 map<NodeUnprepareResourceResponse>",),
    },
)
health = message_classes(
    "v1alpha1",
    {
        "NodeWatchResourcesRequest": (),
        "DeviceIdentifier": ("pool_name 1 string", "device_name 2 string"),
        # `health` is an enum, which goes over the wire as a number.
        "DeviceHealth": (
            *("device 1 DeviceIdentifier", "health 2 int32", "last_updated_time 3 int64"),
            *("health_check_timeout_seconds 4 int64", "message 5 string"),
        ),
        "NodeWatchResourcesResponse": ("devices 1 [DeviceHealth]",),
    },
)
