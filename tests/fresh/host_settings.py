"""How this machine reaches archives and package indexes, for a machine that is made on it: which mirror, through which
proxy, trusting whom. What it installs from there is not taken over."""

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

# Of `pip config list`; the rest is about what is installed.
PIP_KEYS = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "cert",
    "client-cert",
    "proxy",
    "trusted-host",
    "timeout",
    "default-timeout",
    "retries",
)
# What a command line of pip obeys, the weakest first.
PIP_SECTIONS = ("global", "install", ":env:")
PROXIES = re.compile(r"(http|https|ftp|all|no)_proxy", re.IGNORECASE)
PATIENCE = "HYBRID_HIL_PATIENCE"
# Every file below it is copied: authorities of the machine's own are among them.
CERTIFICATES = Path("/etc/ssl/certs")
OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")


def pip_settings(listing: str) -> dict[str, str]:
    """The variables that make pip reach indexes as `listing` says, which is what `pip config list` prints."""
    found: dict[str, dict[str, str]] = {section: {} for section in PIP_SECTIONS}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if equals and section in found and key in PIP_KEYS:
            found[section][key] = " ".join(str(ast.literal_eval(value)).split())
    merged = {key: value for section in PIP_SECTIONS for key, value in found[section].items()}
    return {f"PIP_{key.upper().replace('-', '_')}": value for key, value in merged.items()}


def own_folders(settings: Mapping[str, str]) -> list[Path]:
    """The folders of this machine that pip's settings name. An index kept as files refers to what lies beside it."""
    words = {word.removeprefix("file://") for value in settings.values() for word in value.split()}
    paths = [Path(word) for word in sorted(words) if word.startswith("/")]
    folders = [path if path.is_dir() else path.parent for path in paths if path.exists()]
    whole = {folder.parent if folder.name == "simple" else folder for folder in folders}
    return sorted(folder for folder in whole if CERTIFICATES not in (folder, *folder.parents))


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Of this process's variables."""
    return {name: value for name, value in environment.items() if PROXIES.fullmatch(name) or name == PATIENCE}


def variables(environment: Mapping[str, str], pip: Mapping[str, str]) -> list[str]:
    """The whole environment of a command on the machine, for env(1). CI says that nobody answers questions."""
    fixed = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "CI": "true",
    }
    return [f"{name}={value}" for name, value in {**passed_on(environment), **pip, **fixed}.items()]


def readme_commands(text: str) -> Sequence[str]:
    """What the README's section of that name tells to type, without the remarks."""
    section = text.partition("\n## Two commands\n")[2].partition("\n## ")[0]
    return re.findall(r"^    (\./rig [^#\n]*?) *(?:#.*)?$", section, re.MULTILINE)
