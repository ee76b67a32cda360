"""What a booted board is told before tests begin."""

from hybrid_hil.deadline import Deadline
from hybrid_hil.failure import RigError
from hybrid_hil.shell import Shell

# emergencies still reach the console: panics and oopses are among them
SYSCTLS = {"printk": 1, "randomize_va_space": 0}


def settle(shell: Shell, deadline: Deadline) -> None:
    """A console for the tests, and programs that lie where they lay; reads back that it is so.

    QEMU translates a program again wherever its addresses are new: in one place a verb takes an eighth less.
    """
    script = "cd /proc/sys/kernel; " + "; ".join(f"echo {value} >{name}" for name, value in SYSCTLS.items())
    reading = f"{script}; " + "; ".join(f"read -r {name} rest <{name}; echo ${name}" for name in SYSCTLS)
    now = shell.run(reading, deadline=deadline).stdout.split()
    if now != [str(value) for value in SYSCTLS.values()]:
        raise RigError(f"{', '.join(SYSCTLS)} of kernel read back as `{' '.join(now)}`")
