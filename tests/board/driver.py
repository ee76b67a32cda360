"""The kernel's driver of the processors: taken from its device, and given back."""

from hybrid_hil.shell import Shell

# A cluster's driver is bound to the parent of its processors' devices.
FIND = """
device=$(readlink -f /sys/class/remoteproc/remoteproc0/device)
until [ -e $device/driver ]; do device=${device%/*}; [ -n "$device" ] || exit 1; done
basename $device; readlink -f $device/driver
"""


class Driver:
    """Of one board, as found when its driver was bound."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.device, self.folder = shell.run(FIND).stdout.split()

    def unbind(self) -> None:
        self.shell.run(f"echo {self.device} > {self.folder}/unbind")

    def unbind_slowly(self) -> None:
        """Beside anything busy a nice process has a while between its steps."""
        unbinding = f"open('{self.folder}/unbind', 'w').write('{self.device}')"
        self.shell.run(f'python3 -c "import os; os.nice(8); {unbinding}"')

    def bind(self) -> None:
        self.shell.run(f"[ -e {self.folder}/{self.device} ] || echo {self.device} > {self.folder}/bind")
