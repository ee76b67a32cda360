"""containerd's CRI plugin: a drop-in where its configuration imports one and nothing else speaks of the plugin."""

import glob
import os
from fnmatch import fnmatch

from hybrid_runtime.setup.engine.plan import ManualStep, Plan
from hybrid_runtime.setup.engine.settings_file import PROGRAM, names_us, settings_or_none, template, text_or_none
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths

CONFIGURATION = "/etc/containerd/config.toml"
DROP_INS = "/etc/containerd/conf.d"
DROP_IN = f"{DROP_INS}/{PROGRAM}.toml"
# For a containerd that runs on its built-in settings; every release since 1.3 reads version 2.
_MINIMAL = f'version = 2\nimports = ["{DROP_INS}/*.toml"]\n'
# containerd-config.toml(5): the plugin's name in each version of the file.
_PLUGINS = {2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}


class Containerd:
    """`ctr` needs no setting: `ctr run --runc-binary /usr/bin/hybrid-runtime`."""

    name = "containerd"
    program = "containerd"
    places: tuple[str, ...] = (CONFIGURATION, DROP_INS)
    restart = "systemctl restart containerd"

    def lines(self, system: SystemPaths) -> str:
        """With the default runtime's, unless the configuration has runtimes already."""
        version = _version(system)
        known = any(_has_runtimes(settings) for settings in _configuration(system).values())
        return (
            runtime_lines(version) if known else template(f"containerd/runc-v{version}.toml") + runtime_lines(version)
        )

    def install(self, system: SystemPaths) -> Plan:
        configuration, drop_in = system.path(CONFIGURATION), system.path(DROP_IN)
        wanted = f"version = {_version(system)}\n\n{self.lines(system)}"
        files = _configuration(system)
        if not files:
            return Plan(writes={configuration: _MINIMAL, drop_in: wanted})
        main = files[configuration]
        if any(names_us(settings) for settings in files.values()):
            return Plan()
        if not _imports(main, DROP_IN):
            return Plan(
                manual_step=ManualStep(configuration, f"it does not import `{DROP_INS}/*.toml`", self.lines(system))
            )
        for path, settings in files.items():
            if _speaks_of_plugin(settings):
                # mergeConfig of containerd 1 takes a plugin's whole section from the last file that has one.
                why = "it has settings for the CRI plugin, which a drop-in would replace"
                return Plan(manual_step=ManualStep(path, why, self.lines(system)))
        return Plan(writes={drop_in: wanted})

    def uninstall(self, system: SystemPaths) -> Plan:
        configuration, drop_in = system.path(CONFIGURATION), system.path(DROP_IN)
        main = settings_or_none(configuration)
        if names_us(main):
            lines = runtime_lines(_version(system))
            return Plan(manual_step=ManualStep(configuration, "it holds them among others", lines))
        removals = [drop_in] if os.path.lexists(drop_in) else []
        if removals and text_or_none(configuration) == _MINIMAL:
            removals.append(configuration)
        return Plan(removals=tuple(removals))


def runtime_lines(version: int) -> str:
    return template(f"containerd/runtime-v{version}.toml")


def _version(system: SystemPaths) -> int:
    """Which of ours is read together with the configuration that is there. Raises Failure."""
    path = system.path(CONFIGURATION)
    main = settings_or_none(path)
    version = 2 if main is None else main.get("version", 1)
    if not isinstance(version, int) or version < 2:
        raise Failure(
            f"`{path}` is of version {version}, whose plugins have other names",
            "`containerd config migrate` prints one of version 2",
        )
    return min(version, max(_PLUGINS))


def _imports(main: dict[str, object], place: str) -> bool:
    patterns = main.get("imports", [])
    folder = os.path.dirname(CONFIGURATION)
    return isinstance(patterns, list) and any(
        fnmatch(place, os.path.join(folder, pattern)) for pattern in patterns if isinstance(pattern, str)
    )


def _configuration(system: SystemPaths) -> dict[str, dict[str, object]]:
    """The settings in the main file and those it imports, by path; nothing when there is no main file."""
    path = system.path(CONFIGURATION)
    main = settings_or_none(path)
    if main is None:
        return {}
    patterns = main.get("imports", [])
    folder = os.path.dirname(CONFIGURATION)
    found = {path: main}
    for pattern in patterns if isinstance(patterns, list) else []:
        for path in sorted(glob.glob(system.path(os.path.join(folder, str(pattern))))):
            found[path] = settings_or_none(path) or {}
    return found


def _speaks_of_plugin(settings: dict[str, object]) -> bool:
    return any(_at(settings, "plugins", name) is not None for name in _PLUGINS.values())


def _has_runtimes(settings: dict[str, object]) -> bool:
    return any(_at(settings, "plugins", name, "containerd", "runtimes") for name in _PLUGINS.values())


def _at(settings: object, *keys: str) -> object:
    for key in keys:
        settings = settings.get(key) if isinstance(settings, dict) else None
    return settings
