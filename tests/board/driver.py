"""The kernel's driver of the whole cluster: taken from its device, and given back."""

from hybrid_hil.shell import Shell

DRIVERS = "/sys/bus/platform/drivers/zynqmp_r5_remoteproc"


class Driver:
    """Of one board, as found when its driver was bound."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        devices = shell.run(f"cd {DRIVERS} && find . -type l | cut -c3-")
        self.device = devices.stdout.split()[0]

    def unbind(self) -> None:
        self.shell.run(f"echo {self.device} > {DRIVERS}/unbind")

    def unbind_slowly(self) -> None:
        """Beside anything busy a nice process has a while between its steps."""
        self.shell.run(f"python3 -c \"import os; os.nice(8); open('{DRIVERS}/unbind', 'w').write('{self.device}')\"")

    def bind(self) -> None:
        self.shell.run(f"[ -e {DRIVERS}/{self.device} ] || echo {self.device} > {DRIVERS}/bind")
