"""Making a board what it was: what was found is removed, and what cannot be removed is told."""

import shlex
from collections import defaultdict
from collections.abc import Sequence

from hybrid_hil.board import ShellAccess
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.change import Change, changes, complaints
from hybrid_hil.device.deployment import COMMAND
from hybrid_hil.device.firmware import UPLOADS
from hybrid_hil.device.look import CLAIMS, CONTAINERS, FIRMWARE, GROUPS, PRINTK, look
from hybrid_hil.shell import CommandError

# A killed process takes a moment to end, and a group is busy until it has.
_ATTEMPTS = 50
_MOMENT = "n=$((n + 1)); sleep 0.05 2>/dev/null || sleep 1"


def cleaning(before: str, found: Sequence[Change]) -> str:
    """The script that removes what was found: containers through the runtime, then by force what is left."""
    left = _new(found)
    containers = [shlex.quote(name) for name in left["container"]]
    files = [shlex.quote(f"{FIRMWARE}/{name}") for name in left["firmware"] if not name.startswith("path ")]
    lines = [f"{COMMAND} delete --force {name} </dev/null" for name in containers]
    lines += _ended([rest.split()[-1] for rest in left["process"]])
    lines += [f"umount {shlex.quote(place)}" for place in _places(before, left["mounted"])]
    lines += [_without_group(name) for name in sorted(left["cgroup"], key=_depth, reverse=True)]
    lines += [f"ip link delete {shlex.quote(name)}" for name in _links(before, left["link"])]
    lines += [_restored(line) for line in before.splitlines() if line.startswith("processor ")]
    lines += [f"echo {shlex.quote(line.partition(' ')[2])} >{PRINTK}" for line in _printk(before, found)]
    lines += [f"rm -rf {CONTAINERS}/{name}" for name in containers]
    lines += [f"rm -f {CLAIMS}/{shlex.quote(name)}" for name in left["claim"]]
    lines += [f"rm -f {' '.join(files)}"] if files else []
    return "\n".join([*lines, f"rm -rf {UPLOADS}", "true"])


def clean(board: ShellAccess, before: str, found: list[Change], deadline: Deadline) -> list[Change]:
    """Cleans the board and looks again; what is still found needs the power switch. What the kernel complains of needs
    it at once."""
    if beyond := complaints(found):
        return beyond
    try:
        board.shell.run(cleaning(before, found), deadline=deadline)
    except CommandError as error:
        return [*found, Change(f"cleaning ended with {error.completed.exit_status}")]
    return changes(before, look(board, deadline))


def _new(found: Sequence[Change]) -> defaultdict[str, list[str]]:
    """What is there that was not, by its kind."""
    left: defaultdict[str, list[str]] = defaultdict(list)
    for change in found:
        if not change.gone:
            left[change.kind].append(change.rest)
    return left


def _ended(pids: Sequence[str]) -> list[str]:
    if not pids:
        return []
    waiting = f"until [ ! -e /proc/$p/exe ] || [ $n = {_ATTEMPTS} ]; do {_MOMENT}; done"
    return [f"kill -9 {' '.join(pids)} 2>/dev/null", f"n=0; for p in {' '.join(pids)}; do {waiting}; done"]


def _places(before: str, mounted: Sequence[str]) -> list[str]:
    """Where something new is mounted, the last first; not what is only mounted otherwise than before."""
    kept = {line.split()[1] for line in before.splitlines() if line.startswith("mounted ")}
    return [place for place in (rest.split()[0] for rest in reversed(mounted)) if place not in kept]


def _links(before: str, links: Sequence[str]) -> list[str]:
    """The new ones, not those that were there and are otherwise now."""
    kept = {line.split()[1] for line in before.splitlines() if line.startswith("link ")}
    return [name for name in (rest.split()[0] for rest in links) if name not in kept]


def _printk(before: str, found: Sequence[Change]) -> list[str]:
    return [line for line in before.splitlines() if Change(line, gone=True) in found and line.startswith("printk ")]


def _depth(group: str) -> int:
    return group.count("/")


def _without_group(name: str) -> str:
    group = shlex.quote(f"{GROUPS}/{name}")
    removal = f"until rmdir {group} || [ $n = {_ATTEMPTS} ]; do {_MOMENT}; done"
    return f"echo 1 >{group}/cgroup.kill; n=0; {removal} 2>/dev/null"


def _restored(processor: str) -> str:
    """Stops a processor that was offline (boots are counted, so until it is so again) and restores its settings.

    One that the kernel is restarting is seen offline meanwhile. The first stop waits for the end of that. Kernels that
    do not stop a crashed core bring it back first.
    """
    _, name, state, recovery, dump, *_ = processor.split()
    if state != "offline":
        return ""
    return f"""for p in /sys/class/remoteproc/remoteproc*; do
  read -r name <$p/name
  [ "$name" = {shlex.quote(name)} ] || continue
  echo disabled >$p/recovery
  echo stop >$p/state
  n=0
  while read -r state <$p/state && [ "$state" != offline ] && [ $n -lt 64 ]; do
    echo stop >$p/state || echo recover >$p/recovery
    n=$((n + 1))
  done
  echo {recovery.split("=")[1]} >$p/recovery
  echo {dump.split("=")[1]} >$p/coredump
done 2>/dev/null"""
