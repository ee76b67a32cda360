"""The pod that a container belongs to, by the annotations of the engine that was asked for it."""

# pkg/cri/annotations of containerd; pkg/annotations of CRI-O, which has the kubelet's own words for names.
_NAMESPACES = ("io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace")
_PODS = ("io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name")
_CONTAINERS = ("io.kubernetes.cri.container-name", "io.kubernetes.container.name")
_LONGEST_NAME = 253
_IN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.")


class PodContainer:
    """By the names that its owner gave. Empty where the engine does not tell, or tells what no cluster would take."""

    def __init__(self, annotations: dict[str, object]) -> None:
        self.namespace, self.pod, self.container = (
            next((str(annotations[key]) for key in keys if _is_name(annotations.get(key))), "")
            for keys in (_NAMESPACES, _PODS, _CONTAINERS)
        )


def _is_name(text: object) -> bool:
    """RFC 1123, as Kubernetes wants it: such a name is a word of a command as it stands."""
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_NAME:
        return False
    return text[0].isalnum() and set(text) <= _IN_NAMES
