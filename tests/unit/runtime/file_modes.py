"""Who may use the files of the runtime."""

from pathlib import Path


def mode_of(path: Path) -> str:
    return f"{path.stat().st_mode & 0o7777:o}"


def not_private(folder: Path) -> dict[str, str]:
    """The folder and all that is in it, sockets too, as far as others than the owner may use it: modes by path."""
    modes = {path: mode_of(path) for path in (folder, *folder.rglob("*"))}
    return {str(path): mode for path, mode in modes.items() if mode != ("700" if path.is_dir() else "600")}
