"""A look at a board: one line for each thing that a test may leave there."""

import json
from collections.abc import Mapping, Sequence

from hybrid_hil.board import ShellAccess
from hybrid_hil.board.lease import ON_BOARD
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND
from hybrid_hil.failure import RigError

CONTAINERS = "/run/hybrid-runtime"
CLAIMS = "/run/hybrid-runtime-claims"
FIRMWARE = "/lib/firmware"
GROUPS = "/sys/fs/cgroup"
PRINTK = "/proc/sys/kernel/printk"

# What only an exclusive board is judged by: elsewhere others change it as well.
_OF_THE_WHOLE_BOARD = frozenset(
    {"kernel", "tainted", "warnings", "oopses", "printk", "cgroup", "mounted", "link", "address"}
)

# How the kernel begins what it says of a defect of its own, after its time stamp: lib/bug.c, kernel/panic.c,
# kernel/hung_task.c, kernel/watchdog.c, arch/arm64/kernel/traps.c. Not RCU's stalls: of an emulated board they are the
# host's, which did not run it for so long.
_DEFECTS = (
    "WARNING: ",
    "BUG: ",
    "kernel BUG at ",
    "Internal error: ",
    "Oops",
    "Unable to handle kernel ",
    "INFO: task ",
    "watchdog: BUG: ",
    "watchdog: Watchdog detected ",
    "UBSAN: ",
)
# The log has hundreds of lines, for which sed(1) takes its time on an emulated core: grep(1) spares it nearly all.
_SUSPECTS = " ".join(f"-e '{begin}'" for begin in _DEFECTS)
_DEFECT = "|".join(_DEFECTS)

# The shell's own words only, since a fork costs 5 ms on an emulated core, and this runs after each test. It reads byte
# by byte. So nothing long is read, nor the kernel's log, nor settings below /proc/sys, which answer a second read with
# their end (kernel/sysctl.c, proc_dointvec): these are for grep(1) and sed(1).
# A claim is its journal: the lock file beside it stays, with how often the processor was started.
# The dead do not count, which have no `exe` any more: busybox' init reaps orphans once a second. Nor do the kernel's
# threads, which never had one, the connections of the rig, this shell and what it came through, and what systemd starts
# of itself.
_LOOK = f"""
for p in @/sys/class/remoteproc/remoteproc*; do
  [ -e "$p/state" ] || continue
  read -r name <"$p/name"; read -r state <"$p/state"
  read -r recovery <"$p/recovery"; read -r dump <"$p/coredump"
  echo "processor $name $state recovery=$recovery coredump=$dump device=${{p##*/}}"
done
for d in @{CONTAINERS}/*; do [ -d "$d" ] && echo "container ${{d##*/}}"; done
for f in @{CLAIMS}/*.*; do [ -e "$f" ] && echo "claim ${{f##*/}}"; done
for f in @{FIRMWARE}/*; do [ -e "$f" ] && echo "firmware ${{f##*/}}"; done
read -r path <@/sys/module/firmware_class/parameters/path && echo "firmware path $path"
dmesg | grep -F {_SUSPECTS} | sed -n -E -e 's/^(\\[[^]]*\\] ?)*({_DEFECT})/kernel &/p' -e 's/^[0-9]+$/tainted &/p' \\
  -e 's/^([0-9]+)[[:space:]]+([0-9]+)[[:space:]]+([0-9]+)[[:space:]]+([0-9]+)$/printk \\1 \\2 \\3 \\4/p' \\
  - @/proc/sys/kernel/tainted @{PRINTK}
read -r count <@/sys/kernel/warn_count && echo "warnings $count"
read -r count <@/sys/kernel/oops_count && echo "oopses $count"
for d in @{GROUPS}/*/ @{GROUPS}/*/*/ @{GROUPS}/*/*/*/ @{GROUPS}/*/*/*/*/; do
  d=${{d#@{GROUPS}/}}
  case $d in *"*"* | *.slice/* | *.scope/* | *.service/* | *.mount/* | *.socket/* | *.swap/*) ;;
    *) echo "cgroup ${{d%/}}";;
  esac
done
while read -r source place kind options rest; do
  case $kind in autofs | tracefs | binfmt_misc) ;; *) echo "mounted $place $kind ${{options%%,*}}";; esac
  case "$place $options" in "/ ro" | "/ ro,"* | "/sys ro" | "/sys ro,"*) echo "mount $place is read-only";; esac
done <@/proc/self/mounts
for d in @/sys/class/net/*; do
  [ -e "$d/flags" ] || continue
  read -r flags <"$d/flags"; read -r mtu <"$d/mtu"
  echo "link ${{d##*/}} flags=$flags mtu=$mtu"
done
while read -r word address scope; do
  case "$word $address $scope" in "|-- "* | "+-- "*) found=$address;; "/32 host LOCAL") echo "address $found";; esac
done <@/proc/net/fib_trie
while read -r address index length scope flags link; do
  case "$scope $flags" in "20 "*) ;; *" "[89a-f]?) echo "address $address";; esac
done <@/proc/net/if_inet6
ours=" $$ "; p=$$
while [ "$p" -gt 1 ] && read -r line <@/proc/$p/stat; do
  line=${{line##*) }}; line=${{line#* }}; p=${{line%% *}}; ours="$ours$p "
done
for d in @/proc/[0-9]*; do
  [ -e "$d/exe" ] || continue
  case $ours in *" ${{d##*/}} "*) continue;; esac
  read -r name <"$d/comm" || continue
  case $name in
    dropbear* | sshd* | sftp-server | systemd* | "(sd-"* | "(udev-worker)") continue;;
    python3*) read -r words <"$d/cmdline"; case $words in *{ON_BOARD}*) continue;; esac;;
  esac
  echo "process $name ${{d##*/}}"
done
true
"""


def question(root: str = "") -> str:
    """The shell text that looks; `root` stands before every path of it."""
    return f"{{\n{_LOOK.replace('@', root)}}} 2>/dev/null"


def look(board: ShellAccess, deadline: Deadline) -> str:
    """What is on the board, one line each: processors, containers, claims, firmware files, complaints of the kernel,
    its console's level, control groups, mounts, network links and addresses, and processes."""
    seen = board.shell.run(question(), deadline=deadline).stdout
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
        case ["process", *_, pid]:
            return pid in known["process"]
        case ["claim", name]:
            return name.partition(".")[0] in known["claim"]
        case [("processor" | "container") as kind, name, *_]:
            return name in known[kind]
        case ["firmware", _]:
            # whose it is no name tells; the runtime collects its own
            return False
        case [kind, *_]:
            return kind not in _OF_THE_WHOLE_BOARD
        case _:
            return False


def _devices(seen: str) -> list[tuple[str, str]]:
    """Names of processors and of their devices."""
    lines = [line.split() for line in seen.splitlines() if line.startswith("processor ")]
    return [(words[1], words[-1].removeprefix("device=")) for words in lines]
