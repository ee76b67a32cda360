"""Whether a test left its board as it found it, and how to make it so again."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybrid_hil.board import Board
from hybrid_hil.deadline import Deadline
from hybrid_hil.deployment import COMMAND
from hybrid_hil.failure import RigError
from hybrid_hil.firmware import UPLOADS
from hybrid_hil.shell import CommandError

CONTAINERS = "/run/hybrid-runtime"
CLAIMS = "/run/hybrid-runtime-claims"
FIRMWARE = "/lib/firmware"

# The shell's own words only: a fork costs 5 ms on an emulated core, and this runs after each test. The dead do not
# count: busybox' init reaps orphans once a second.
_LOOK = f"""
for p in /sys/class/remoteproc/remoteproc*; do
  [ -e "$p/state" ] || continue
  read -r name <"$p/name"; read -r state <"$p/state"
  read -r recovery <"$p/recovery"; read -r dump <"$p/coredump"
  echo "processor $name $state recovery=$recovery coredump=$dump device=${{p##*/}}"
done
for d in {CONTAINERS}/*; do [ -d "$d" ] && echo "container ${{d##*/}}"; done
for f in {CLAIMS}/*; do [ -s "$f" ] && echo "claim ${{f##*/}}"; done
for f in {FIRMWARE}/*; do [ -e "$f" ] && echo "firmware ${{f##*/}}"; done
read -r path </sys/module/firmware_class/parameters/path && echo "firmware path $path"
while read -r source place kind options rest; do
  case "$place $options" in "/ ro" | "/ ro,"* | "/sys ro" | "/sys ro,"*) echo "mount $place is read-only";; esac
done </proc/self/mounts
for s in /proc/[0-9]*/stat; do
  read -r pid name state rest <"$s" || continue
  name=${{name#(}}
  case $state$name in Z*) ;; ?python3*|?hybrid-runtime*) echo "process ${{name%)}} $pid";; esac
done 2>/dev/null
true
"""


@dataclass(frozen=True)
class Finding:
    """Something that was not there before, or is not any more."""

    text: str
    gone: bool = False

    def __str__(self) -> str:
        return f"no longer: {self.text}" if self.gone else self.text


def findings(before: str, now: str) -> list[Finding]:
    """What differs between two looks at a board, in the order it was seen."""
    past, present = before.splitlines(), now.splitlines()
    fresh = [Finding(line) for line in present if line not in past]
    return [*fresh, *(Finding(line, gone=True) for line in past if line not in present)]


def look(board: Board, deadline: Deadline) -> str:
    """What is on the board: one line for each processor, container, claim, firmware file and process, and for
    mounts that cannot be written."""
    seen = board.shell.run(_LOOK, deadline=deadline).stdout
    if board.exclusive:
        return seen
    listed = json.loads(board.shell.run([COMMAND, "list", "--format", "json"], deadline=deadline).stdout)
    return ours(seen, [core.name for core in board.cores], listed)


def ours(seen: str, processors: Sequence[str], listed: Sequence[Mapping[str, object]]) -> str:
    """Of what was seen on a board that others use as well, what the rig may judge: its own processors, and the
    containers, claims and supervisors that are theirs. `listed` are the runtime's containers."""
    held = [entry for entry in listed if entry["processor"] in processors]
    known = {
        "processor": set(processors),
        "container": {str(entry["id"]) for entry in held},
        "process": {str(entry["pid"]) for entry in held},
        "claim": {device for name, device in _devices(seen) if name in processors},
    }
    return "".join(f"{line}\n" for line in seen.splitlines() if _is_ours(line.split(), known))


def require_distinct(seen: str, processors: Sequence[str]) -> None:
    """A name is all the rig knows of a processor. Raises RigError when two of the board's share one of `processors`."""
    names = [name for name, _ in _devices(seen)]
    for name in processors:
        if names.count(name) > 1:
            devices = ", ".join(device for owner, device in _devices(seen) if owner == name)
            raise RigError(
                f"the processors {devices} are all called `{name}`: the rig cannot tell them apart",
                "give each a name of its own in the device tree, or leave that name out of the board file",
            )


def _is_ours(words: list[str], known: Mapping[str, set[str]]) -> bool:
    match words:
        case ["process", _, pid]:
            return pid in known["process"]
        case ["claim", name]:
            return name.partition(".")[0] in known["claim"]
        case [("processor" | "container") as kind, name, *_]:
            return name in known[kind]
        case ["firmware", _]:
            # whose it is no name tells; the runtime collects its own
            return False
        case _:
            return True


def _devices(seen: str) -> list[tuple[str, str]]:
    """Names of processors and of their devices."""
    lines = [line.split() for line in seen.splitlines() if line.startswith("processor ")]
    return [(words[1], words[-1].removeprefix("device=")) for words in lines]


def cleaning(before: str, found: list[Finding]) -> str:
    """The script that removes what was found: containers through the runtime, then by force what is left."""
    fresh = [finding.text.split(maxsplit=1) for finding in found if not finding.gone]
    left = {kind: [rest[0] for word, *rest in fresh if word == kind and rest] for kind, *_ in fresh}
    containers = [shlex.quote(name) for name in left.get("container", [])]
    files = [shlex.quote(f"{FIRMWARE}/{name}") for name in left.get("firmware", []) if not name.startswith("path")]
    pids = [rest.split()[-1] for rest in left.get("process", [])]
    lines = [f"{COMMAND} delete --force {name} </dev/null" for name in containers]
    lines += [f"kill -9 {' '.join(pids)} 2>/dev/null"] if pids else []
    lines += [_restored(line) for line in before.splitlines() if line.startswith("processor ")]
    lines += [f"rm -rf {CONTAINERS}/{name}" for name in containers]
    lines += [f"rm -f {CLAIMS}/{shlex.quote(name)}" for name in left.get("claim", [])]
    lines += [f"rm -f {' '.join(files)}"] if files else []
    return "\n".join([*lines, f"rm -rf {UPLOADS}", "true"])


def clean(board: Board, before: str, found: list[Finding], deadline: Deadline) -> list[Finding]:
    """Cleans the board and looks again; what is still found needs the power switch."""
    try:
        board.shell.run(cleaning(before, found), deadline=deadline)
    except CommandError as error:
        return [*found, Finding(f"cleaning ended with {error.completed.exit_status}")]
    return findings(before, look(board, deadline))


def _restored(processor: str) -> str:
    """Stops a processor that was offline (boots are counted, so until it is so again) and restores its settings."""
    _, name, state, recovery, dump, *_ = processor.split()
    if state != "offline":
        return ""
    return f"""for p in /sys/class/remoteproc/remoteproc*; do
  read -r name <$p/name
  [ "$name" = {shlex.quote(name)} ] || continue
  n=0
  while read -r state <$p/state && [ "$state" != offline ] && [ $n -lt 64 ]; do
    echo stop >$p/state
    n=$((n + 1))
  done
  echo {recovery.split("=")[1]} >$p/recovery
  echo {dump.split("=")[1]} >$p/coredump
done 2>/dev/null"""
