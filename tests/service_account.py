"""The user `hybrid-runtime` on a board that has neither udev nor systemd, with the permissions of runtime/system."""

from collections.abc import Iterator
from contextlib import contextmanager

from hybrid_hil.shell import Shell
from tests.linux import Linux
from tests.system_files import rule_commands, tmpfiles_commands, user_commands

USER = "hybrid-runtime"
CLAIMS = "/run/hybrid-runtime-claims"
HOME = "/var/lib/hybrid-runtime"
FIRMWARE = f"{HOME}/firmware"
ATTRIBUTES = ("state", "firmware", "recovery", "coredump")


@contextmanager
def service_account(shell: Shell, linux: Linux) -> Iterator[None]:
    """Gone afterwards with what it was given."""
    before = shell.run("cat /etc/passwd; echo; echo; cat /etc/group").stdout
    rules = [command for device in linux.devices.values() for command in rule_commands("remoteproc", device)]
    shell.run(" && ".join([*user_commands(), *tmpfiles_commands(), *rules]))
    yield
    passwd, _, group = before.partition("\n\n\n")
    shell.put(f"{passwd.rstrip()}\n".encode(), "/etc/passwd")
    shell.put(group.lstrip().encode(), "/etc/group")
    for device in linux.devices.values():
        attributes = [f"/sys/class/remoteproc/{device}/{name}" for name in ATTRIBUTES]
        shell.run(["chgrp", "root", f"/dev/{device}", *attributes])
        shell.run(["chmod", "600", f"/dev/{device}"])
        shell.run(["chmod", "g-w", *attributes])
    shell.run("echo > /sys/module/firmware_class/parameters/path")
    shell.run(f"rm -rf {CLAIMS} {HOME} /tmp/hybrid-runtime-*")
