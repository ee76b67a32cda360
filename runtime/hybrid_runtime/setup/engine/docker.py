"""Docker: one JSON file, which is merged. The file as it was is kept, and comes back when nothing else has changed."""

import json
import os

from hybrid_runtime.setup.engine.plan import Plan
from hybrid_runtime.setup.engine.settings_file import PROGRAM, names_us, settings_or_none, template
from hybrid_runtime.system.failure import Failure
from hybrid_runtime.system.system_paths import SystemPaths

SETTINGS = "/etc/docker/daemon.json"
BACKUP = f"/etc/docker/daemon.before-{PROGRAM}.json"


class Docker:
    """dockerd(8), daemon configuration file."""

    name = "docker"
    program = "dockerd"
    places: tuple[str, ...] = (SETTINGS,)
    # At SIGHUP dockerd reads which runtimes there are. Those that are gone stay known until it starts again.
    restart = "systemctl reload docker"
    restart_to_forget = "systemctl restart docker"

    def lines(self, system: SystemPaths) -> str:  # noqa: ARG002  the shape of an engine
        return template("docker/daemon.json")

    def install(self, system: SystemPaths) -> Plan:
        path, wanted = system.path(SETTINGS), json.loads(self.lines(system))
        present = settings_or_none(path)
        if present is None:
            return Plan(writes={path: self.lines(system)})
        runtimes = _runtimes(path, present)
        if PROGRAM in runtimes:
            return _judge_own(path, runtimes[PROGRAM])
        runtimes = {**runtimes, **wanted["runtimes"]}
        backup = system.path(BACKUP)
        # One that is there is older: it is from before the first of our changes.
        kept = {} if os.path.lexists(backup) else {backup: _text(path)}
        return Plan(writes={**kept, path: _formatted({**present, "runtimes": runtimes})}, copies={backup: path})

    def uninstall(self, system: SystemPaths) -> Plan:
        path, backup = system.path(SETTINGS), system.path(BACKUP)
        present = settings_or_none(path)
        before = settings_or_none(backup)
        kept = (backup,) if before is not None else ()
        if present is None or PROGRAM not in _runtimes(path, present):
            return Plan(removals=kept)
        if present.get("default-runtime") == PROGRAM:
            raise Failure(f"`{path}`: default-runtime is `{PROGRAM}`", "name another one first")
        rest = {key: value for key, value in present.items() if key != "runtimes"}
        others = {name: value for name, value in _runtimes(path, present).items() if name != PROGRAM}
        if others:
            rest["runtimes"] = others
        if not rest and before is None:
            return Plan(removals=(path,))
        return Plan(writes={path: _text(backup) if rest == before else _formatted(rest)}, removals=kept)


def _judge_own(path: str, entry: object) -> Plan:
    """An entry of our name that is there already: with options of somebody's it stays as it is. Raises Failure for one
    that leads elsewhere."""
    if names_us(entry):
        return Plan()
    program = entry.get("path") if isinstance(entry, dict) else None
    raise Failure(
        f"`{path}`: the runtime `{PROGRAM}` is `{program}` there", "remove that entry, or give it another name"
    )


def _runtimes(path: str, settings: dict[str, object]) -> dict[str, object]:
    runtimes = settings.get("runtimes", {})
    if not isinstance(runtimes, dict):
        raise Failure(f"`{path}`: runtimes is no object", "mend it; dockerd does not start with it either")
    return runtimes


def _formatted(settings: dict[str, object]) -> str:
    return json.dumps(settings, indent=4, ensure_ascii=False) + "\n"


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as source:
        return source.read()
