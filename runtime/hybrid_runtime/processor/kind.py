"""What kind of core a processor is, as schedulers and people call it, by the words of its devicetree."""

import re

from hybrid_runtime.processor.devicetree import node_of
from hybrid_runtime.processor.remoteproc import Remoteproc

# In the part of a `compatible` behind the vendor: xlnx,versal-r5f, fsl,imx8mn-cm7, ti,am64-m4fss, renesas,rcar-cr7.
_ARM = re.compile(r"(?:^|-)c?([rm]\d+f?)(?:ss)?(?:-|$)")
# ti,j721e-c66-dsp, fsl,imx8mp-hifi4-dsp, ti,am654-tx-pru, mediatek,mt8192-scp.
_OTHER = re.compile(r"(?:^|-)(dsp|pru|rtu|scp)(?:-|$)")
# No part of a resource's name in Kubernetes.
_UNUSABLE = re.compile(r"[^a-z0-9]+")


def kind_of(remoteproc: Remoteproc) -> str:
    """ "" where there is no devicetree. Raises ProcessorGone."""
    node = node_of(remoteproc.resolved_path)
    return kind_named(node.strings("compatible"), node.name) if node else ""


def kind_named(compatible: list[str], node_name: str) -> str:
    """The most specific `compatible` comes first (Devicetree Specification, 2.3.1)."""
    for name in compatible:
        words = name.partition(",")[2] or name
        if found := _ARM.search(words) or _OTHER.search(words):
            return found[1]
    return _UNUSABLE.sub("-", node_name.lower()).strip("-")
