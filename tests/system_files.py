"""The files of runtime/system, applied to a board that has neither udev nor systemd: the same owners and modes, read
from the files themselves."""

import re
import shlex
from fnmatch import fnmatchcase
from pathlib import Path

SYSTEM = Path(__file__).resolve().parents[1] / "runtime/system"
RULES = SYSTEM / "60-hybrid-runtime.rules"
TMPFILES = SYSTEM / "hybrid-runtime.tmpfiles.conf"
SYSUSERS = SYSTEM / "hybrid-runtime.sysusers.conf"
NUMBER = 990


def user_commands() -> list[str]:
    """Of sysusers.d: a user and a group of that name each. A `u` line is: u NAME ID GECOS HOME."""
    commands = []
    for kind, name, _, comment, home in (shlex.split(line) for line in lines(SYSUSERS)):
        assert kind == "u"
        account = f"{name}:x:{NUMBER}:{NUMBER}:{comment}:{home}:/bin/false"
        commands.append(f"echo {shlex.quote(account)} >> /etc/passwd && echo {name}:x:{NUMBER}: >> /etc/group")
    return commands


def tmpfiles_commands() -> list[str]:
    """Of tmpfiles.d: TYPE PATH MODE USER GROUP AGE ARGUMENT."""
    commands = []
    for words in (line.split() for line in lines(TMPFILES)):
        kind, path, mode, user, group = words[:5]
        settle = f"chown {user.strip('-')}:{group} {path} && chmod {mode} {path}"
        if kind == "d":
            commands.append(f"mkdir -p {path} && {settle}")
        elif kind == "z":
            commands.append(f"for f in {path}; do if [ -e $f ]; then {settle.replace(path, '$f')}; fi; done")
        else:
            assert kind == "w"
            commands.append(f"printf %s {words[6]} > {path}")
    return commands


def rule_commands(subsystem: str, device: str) -> list[str]:
    """What udev does when the device appears: owner and mode of its node, and its RUN programs."""
    commands = []
    for rule in lines(RULES):
        keys = re.findall(r'(\w+)(==|\+=|=)"([^"]*)"', rule)
        matches = {key: value for key, operator, value in keys if operator == "=="}
        values = {key: value for key, operator, value in keys if operator == "="}
        if matches["SUBSYSTEM"] != subsystem or not fnmatchcase(device, matches["KERNEL"]):
            continue
        commands.append(f"chgrp {values['GROUP']} /dev/{device} && chmod {values['MODE']} /dev/{device}")
        devpath = f"$(readlink -f /sys/class/{subsystem}/{device})"
        commands += [value.replace("/sys%p", devpath) for key, operator, value in keys if operator == "+="]
    return commands


def lines(path: Path) -> list[str]:
    """Comments left out, continued lines joined."""
    text = path.read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
