"""What kind of core a processor is, as schedulers and people call it, by the words of its devicetree."""

from hybrid_runtime.processor.devicetree import node_of
from hybrid_runtime.processor.remoteproc import Remoteproc

# ti,j721e-c66-dsp, fsl,imx8mp-hifi4-dsp, ti,am654-tx-pru, mediatek,mt8192-scp.
_OTHERS = ("dsp", "pru", "rtu", "scp")


def kind_of(remoteproc: Remoteproc) -> str:
    """ "" where there is no devicetree. Raises ProcessorGone."""
    node = node_of(remoteproc.resolved_path)
    return kind_named(node.strings("compatible"), node.name) if node else ""


def kind_named(compatible: list[str], node_name: str) -> str:
    """The most specific `compatible` comes first (Devicetree Specification, 2.3.1)."""
    for name in compatible:
        words = (name.partition(",")[2] or name).split("-")
        if found := next((kind for word in words if (kind := _arm(word))), "") or next(
            (word for word in words if word in _OTHERS), ""
        ):
            return found
    # Kubernetes takes it as a part of a resource's name.
    plain = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in node_name.lower())
    return "-".join(word for word in plain.split("-") if word)


def _arm(word: str) -> str:
    """As in xlnx,versal-r5f, fsl,imx8mn-cm7, ti,am64-m4fss and renesas,rcar-cr7."""
    kind = word.removesuffix("ss").removeprefix("c")
    number = kind[1:].removesuffix("f")
    return kind if kind[:1] in ("r", "m") and number.isascii() and number.isdigit() else ""
