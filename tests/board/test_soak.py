"""Lives back to back on the board: not one start is lost, and nothing grows. `--soak N` says how many."""

import pytest

from hybrid_hil.console import Console
from hybrid_hil.deadline import Deadline
from hybrid_hil.device.firmware import BuiltFirmware
from hybrid_hil.device.proof import check_rising, core_starts
from hybrid_hil.plugin import FirmwareMaker
from hybrid_hil.shell import Shell
from tests.linux import Linux

WARM_UP = 5
# Both cores live at once; on an emulated board each verb takes some tenths of a second.
LIFE_S = 20.0

# One connection for all of it: the loop runs on the board. A supervisor is waited for as an engine's shim waits.
LIVES = """
warnings() {{ dmesg | grep -cE 'WARNING:|BUG:|Oops|Call trace|scheduling while'; }}
earlier=$(warnings)
i=0
while [ $i -lt {count} ]; do
  hybrid-runtime create --pid-file /tmp/{core}.pid --annotation remoteproc.name={core} {path} soak-{core} || exit 11
  hybrid-runtime start soak-{core} || exit 12
  hybrid-runtime kill soak-{core} || exit 13
  read -r pid < /tmp/{core}.pid || [ "$pid" ]
  while [ -d /proc/$pid ]; do usleep 5000; done
  hybrid-runtime delete soak-{core} || exit 14
  i=$((i + 1))
  [ $((i % 20)) != 0 ] || [ $(warnings) -le $earlier ] || exit 15
done
rm /tmp/{core}.pid
[ $(warnings) -le $earlier ] || exit 15
"""

# In KiB, and open files. The kernel frees some of it late, and keeps caches of what it has made often.
MOST_GROWTH = {
    "descriptors": 32,
    "SUnreclaim": 4096,
    "AnonPages": 2048,
    "KernelStack": 512,
    "PageTables": 512,
    "Shmem": 256,
}

# What may not grow, one `name value` a line. Memory in KiB, after what can be dropped was dropped.
MEASURE = """
sync; echo 3 > /proc/sys/vm/drop_caches; sleep 1
awk '{ sub(":", "", $1); print $1, $2 }' /proc/meminfo
# Without a child that might be counted or not; kernel threads and the dead have no executable.
processes=0; for one in /proc/[0-9]*; do [ ! -e $one/exe ] || processes=$((processes + 1)); done
echo processes $processes
read -r open rest < /proc/sys/fs/file-nr; echo descriptors $open
echo files $(find /run /tmp /lib/firmware /var | wc -l)
echo mounts $(wc -l < /proc/mounts)
"""


def measure(shell: Shell) -> dict[str, int]:
    lines = [line.split() for line in shell.run(MEASURE).stdout.splitlines()]
    return {name: int(value) for name, value in lines}


def live(shell: Shell, console: Console, cores: list[BuiltFirmware], count: int) -> None:
    """That many lives of each, all at the same time; every start is one line of its core."""
    since = console.mark()
    script = ""
    for core in cores:
        script += f'( {LIVES.format(count=count, core=core.processor, path=core.path_on_board)} ) & all="$all $!"\n'
    script += "for one in $all; do wait $one || exit $?; done\n"
    shell.run(script, deadline=Deadline(60.0 + LIFE_S * count))
    for core in cores:
        check_rising([start for start in core_starts(console.lines(since)) if start.nonce == core.nonce], count)


def test_lives_back_to_back(
    shell: Shell,
    firmware: FirmwareMaker,
    core_console: Console,
    linux: Linux,
    pytestconfig: pytest.Config,
    nightly: bool,
) -> None:
    count = int(pytestconfig.getoption("--soak") or (20 if nightly else 5))
    cores = [firmware("hello", core=core) for core in range(len(linux.devices))]
    live(shell, core_console, cores, WARM_UP)
    before = measure(shell)
    live(shell, core_console, cores, -(-count // len(cores)))
    after = measure(shell)
    grown = {name: after[name] - value for name, value in before.items() if after[name] != value}
    print(f"{count} lives on {len(cores)} cores: grown by {grown}")
    linux.assert_untouched()
    assert after["processes"] == before["processes"]
    assert after["files"] == before["files"]
    assert after["mounts"] == before["mounts"]
    assert {name: (grown.get(name, 0), most) for name, most in MOST_GROWTH.items() if grown.get(name, 0) > most} == {}
    # Free memory comes and goes in blocks of 4 MiB, whatever runs: only much less of it is a leak.
    assert after["MemAvailable"] >= before["MemAvailable"] - 5 * 4096
