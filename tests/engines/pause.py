"""The first container of a pod, without a registry: an image of the board's own busybox, and containerd told of it."""

import tomllib

from hybrid_hil.shell import Shell
from tests.engines.firmware_image import archive

PAUSE = "localhost/pause:1"
# Answers SIGTERM, as a pause program must: CRI-O waits 120 s for that before it kills.
PAUSE_PROGRAM = ["/busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do /busybox sleep 1000 & wait $!; done"]


def pause(shell: Shell) -> bytes:
    """An image for the first container of a pod."""
    return archive(PAUSE, "/busybox", shell.get("/bin/busybox"), PAUSE_PROGRAM)


def with_pause(configuration: str) -> str:
    """The setting for a pod's first image is called otherwise in each version."""
    if tomllib.loads(configuration)["version"] >= 3:
        return f'{configuration}[plugins."io.containerd.cri.v1.images".pinned_images]\nsandbox = "{PAUSE}"\n'
    table = '[plugins."io.containerd.grpc.v1.cri"]\n'
    assert table in configuration
    return configuration.replace(table, f'{table}sandbox_image = "{PAUSE}"\n')
