"""podman and CRI-O: engines with a folder of drop-ins that is always read."""

import os

from hybrid_runtime.setup.engine.plan import Plan
from hybrid_runtime.setup.engine.settings_file import template, text_or_none
from hybrid_runtime.system.system_paths import SystemPaths


class DropIn:
    """One file of our own (containers.conf(5), crio.conf.d(5))."""

    def __init__(
        self, name: str, *, program: str, source: str, folder: str, files: tuple[str, ...], restart: str = ""
    ) -> None:
        self.name = name
        self.program = program
        self.places = (*files, folder)
        self.restart = self.restart_to_forget = restart
        self._source = source
        self._target = f"{folder}/{os.path.basename(source)}"

    def lines(self, system: SystemPaths) -> str:  # noqa: ARG002  the shape of an engine
        return template(self._source)

    def install(self, system: SystemPaths) -> Plan:
        path, wanted = system.path(self._target), self.lines(system)
        return Plan() if text_or_none(path) == wanted else Plan(writes={path: wanted})

    def uninstall(self, system: SystemPaths) -> Plan:
        path = system.path(self._target)
        return Plan(removals=(path,)) if os.path.lexists(path) else Plan()
