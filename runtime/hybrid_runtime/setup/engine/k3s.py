"""k3s: its containerd's configuration is made from a template at every start of k3s."""

from hybrid_runtime.setup.engine.containerd import runtime_lines
from hybrid_runtime.setup.engine.plan import ManualStep, Plan
from hybrid_runtime.setup.engine.settings_file import PROGRAM, template, text_or_none
from hybrid_runtime.system.system_paths import SystemPaths

FOLDER = "/var/lib/rancher/k3s/agent/etc/containerd"
# The second is read by the releases with containerd 2, and then instead of the first.
TEMPLATES = {2: f"{FOLDER}/config.toml.tmpl", 3: f"{FOLDER}/config-v3.toml.tmpl"}


class K3s:
    """docs.k3s.io, Advanced Options, Configuring containerd."""

    name = "k3s"
    program = "k3s"
    places: tuple[str, ...] = (f"{FOLDER}/config.toml",)
    restart = restart_to_forget = "systemctl restart k3s"

    def lines(self, system: SystemPaths) -> str:
        return runtime_lines(max(_present(system), default=2))

    def install(self, system: SystemPaths) -> Plan:
        present = _present(system)
        if not present:
            return Plan(writes={system.path(TEMPLATES[2]): template("k3s/config.toml.tmpl")})
        path, text = present[max(present)]
        if _names_us(text):
            return Plan()
        return Plan(manual_step=ManualStep(path, "it is a template of your own", self.lines(system)))

    def uninstall(self, system: SystemPaths) -> Plan:
        ours = [(path, text) for path, text in _present(system).values() if _names_us(text)]
        if not ours:
            return Plan()
        path, text = ours[-1]
        if text == template("k3s/config.toml.tmpl"):
            return Plan(removals=(path,))
        return Plan(manual_step=ManualStep(path, "it is a template of your own", self.lines(system)))


def _present(system: SystemPaths) -> dict[int, tuple[str, str]]:
    """Path and text of the templates that are there, by version."""
    found = {}
    for version, place in TEMPLATES.items():
        path = system.path(place)
        text = text_or_none(path)
        if text is not None:
            found[version] = (path, text)
    return found


def _names_us(text: str) -> bool:
    return f'/{PROGRAM}"' in text
