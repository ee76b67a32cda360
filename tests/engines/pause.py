"""The first container of a pod, without a registry: an image of a program of the board, and containerd told of it."""

import tomllib

from hybrid_hil.shell import Shell
from tests.engines.firmware_image import archive

PAUSE = "localhost/pause:1"
# Both answer SIGTERM, as a pause program must: CRI-O waits 120 s for that before it kills.
CATATONIT = ["/catatonit", "-P"]
BUSYBOX = ["/busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do /busybox sleep 1000 & wait $!; done"]


def pause(shell: Shell) -> bytes:
    """An image of one program, which is linked statically: podman's own, or Debian's BusyBox."""
    for file, words in ("/usr/bin/catatonit", CATATONIT), ("/bin/busybox", BUSYBOX):
        if shell.run(["test", "-x", file], check=False).exit_status == 0:
            return archive(PAUSE, words[0], shell.get(file), words)
    raise AssertionError("this board has no program for the first container of a pod")


def with_pause(configuration: str) -> str:
    """The setting for a pod's first image is called otherwise in each version."""
    if tomllib.loads(configuration)["version"] >= 3:
        return f'{configuration}[plugins."io.containerd.cri.v1.images".pinned_images]\nsandbox = "{PAUSE}"\n'
    table = '[plugins."io.containerd.grpc.v1.cri"]\n'
    if table not in configuration:
        configuration += table
    return configuration.replace(table, f'{table}sandbox_image = "{PAUSE}"\n')
