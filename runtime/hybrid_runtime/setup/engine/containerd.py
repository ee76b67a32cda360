"""containerd's CRI plugin: a drop-in where its configuration imports one, else lines at the end of that."""

import glob
import os
import tomllib
from fnmatch import fnmatch

from hybrid_runtime.setup.engine.plan import ManualStep, Plan
from hybrid_runtime.setup.engine.settings_file import PROGRAM, names_us, settings_or_none, template, text_or_none
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths

CONFIGURATION = "/etc/containerd/config.toml"
DROP_INS = "/etc/containerd/conf.d"
DROP_IN = f"{DROP_INS}/{PROGRAM}.toml"
# containerd-config.toml(5): the plugin's name in each version of the file.
_PLUGINS = {1: "cri", 2: "io.containerd.grpc.v1.cri", 3: "io.containerd.cri.v1.runtime"}
# Only containerd 2 reads version 3, and it merges what several files say of a plugin. mergeConfig of containerd 1 takes
# the whole section of the last file that has one.
_MERGING_VERSION = 3
# What stands between both is ours to take away.
_BEGIN = f"\n# Put here by `{PROGRAM} install containerd`.\n"
# For a containerd that runs on its built-in settings; every release since 1.3 reads version 2. Without the first line
# it may be somebody else's.
_MINIMAL = f'{_BEGIN.lstrip()}version = 2\nimports = ["{DROP_INS}/*.toml"]\n'
_END = f"# End of the lines of `{PROGRAM} install containerd`.\n"


class Containerd:
    """`ctr` needs no setting: `ctr run --runc-binary /usr/bin/hybrid-runtime`."""

    name = "containerd"
    program = "containerd"
    places: tuple[str, ...] = (CONFIGURATION, DROP_INS)
    restart = restart_to_forget = "systemctl restart containerd"

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
        if any(names_us(settings) for settings in files.values()):
            return Plan()
        main = files[configuration]
        occupied = [path for path, settings in files.items() if _speaks_of_plugin(settings)]
        if _imports(main, DROP_IN) and (not occupied or _version(system) >= _MERGING_VERSION):
            return Plan(writes={drop_in: wanted})
        return _append(configuration, [path for path in occupied if path != configuration], self.lines(system))

    def uninstall(self, system: SystemPaths) -> Plan:
        configuration, drop_in = system.path(CONFIGURATION), system.path(DROP_IN)
        main = settings_or_none(configuration)
        if names_us(main):
            appended = _without_lines(configuration)
            if appended is not None:
                return Plan(writes={configuration: appended})
            lines = runtime_lines(_version(system))
            return Plan(manual_step=ManualStep(configuration, "it holds them among others", lines))
        removals = [drop_in] if os.path.lexists(drop_in) else []
        if removals and text_or_none(configuration) == _MINIMAL:
            removals.append(configuration)
        return Plan(removals=tuple(removals))


def runtime_lines(version: int) -> str:
    return template(f"containerd/runtime-v{version}.toml")


def _append(configuration: str, others: list[str], lines: str) -> Plan:
    """A table may stand anywhere, so nothing that is there changes. `others` are imported files that speak of the
    plugin as well."""
    if others:
        return Plan(manual_step=ManualStep(others[-1], "what it says of the CRI plugin replaces other files'", lines))
    text = _exact_text(configuration)
    end = "" if text.endswith("\n") or not text else "\n"
    wanted = f"{text}{end}{_BEGIN}{lines}{_END}"
    try:
        tomllib.loads(wanted)
    except tomllib.TOMLDecodeError:
        return Plan(manual_step=ManualStep(configuration, "it has inline tables, which cannot be added to", lines))
    return Plan(writes={configuration: wanted})


def _without_lines(configuration: str) -> str | None:
    """None when they are not there as they were put there."""
    before, begin, rest = _exact_text(configuration).partition(_BEGIN)
    _, end, after = rest.partition(_END)
    left = before + after
    return left if begin and end and not names_us(tomllib.loads(left)) else None


def _exact_text(path: str) -> str:
    """With line ends as they are. It has been read as TOML before, which is UTF-8."""
    with open(path, encoding="utf-8", newline="") as source:
        return source.read()


def _version(system: SystemPaths) -> int:
    """Which of ours is read together with the configuration that is there. Raises Failure."""
    path = system.path(CONFIGURATION)
    main = settings_or_none(path)
    version = 2 if main is None else main.get("version", 1)
    if not isinstance(version, int) or version < 1:
        raise Failure(f"`{path}` is of version `{version}`", "mend it; containerd cannot read it either")
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
