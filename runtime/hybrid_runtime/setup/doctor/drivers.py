"""What is special about the drivers of this machine's processors. docs/drivers.md has the whole of it."""

import os
from collections.abc import Iterator

from hybrid_runtime.processor.devicetree import Node, node_of, reserved_regions
from hybrid_runtime.processor.remoteproc import ProcessorGone, processors
from hybrid_runtime.setup.doctor.finding import OK, WARNING, Check, Finding
from hybrid_runtime.system.system_paths import SystemPaths

TABLE_NEEDED = Check(
    WARNING,
    "firmware without a resource table may stop this kernel",
    "The devicetree has a region `rsc-table`, into which `imx_rproc` copies the table of the firmware. Linux before "
    "that was corrected follows a NULL pointer when the firmware has none.",
    "give every firmware for it a section .resource_table, if only an empty one",
)
CORES_IN_ORDER = Check(
    OK,
    "the cores of a cluster start in order",
    "Core 0 of this cluster starts first, and core 1 stops first. The driver refuses any other order.",
)


def check(system: SystemPaths) -> Iterator[Finding]:
    for remoteproc in processors(system):
        name = f"`{remoteproc.read_or('name', '')}` ({remoteproc.device})"
        try:
            driver = os.path.basename(os.path.realpath(remoteproc.driver_link()))
            node = node_of(remoteproc.resolved_path)
        except ProcessorGone:
            continue
        if node is not None:
            yield from _check_node(system, driver, node, name)


def _check_node(system: SystemPaths, driver: str, node: Node, name: str) -> Iterator[Finding]:
    if driver == "imx-rproc" and any(region.name == "rsc-table" for region in reserved_regions(system, node)):
        yield TABLE_NEEDED.found(name)
    # Split mode of ti_k3_r5_remoteproc.c.
    if driver == "k3_r5_rproc" and node.parent.cells("ti,cluster-mode") == [0]:
        yield CORES_IN_ORDER.found(name)
