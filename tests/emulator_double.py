"""Programs that answer what a QEMU is asked, and nothing else."""

from pathlib import Path

VERSAL = "xlnx-versal-virt     Xilinx Versal Virtual development board"


def write_emulator(path: Path, banner: str, machines: str = VERSAL, asked: str = "/dev/null") -> Path:
    """A program that says `banner` to --version and `machines` to -machine help, and notes each call in `asked`."""
    path.write_text(f"""#!/bin/sh
echo "$*" >>{asked}
case $1 in
--version) echo '{banner}' ;;
-machine) echo '{machines}' ;;
*) exit 1 ;;
esac
""")
    path.chmod(0o755)
    return path
