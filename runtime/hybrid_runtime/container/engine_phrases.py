"""Texts that container engines search for in our errors; no other message may hold them by accident.

containerd, Docker and podman decide from these words whether a container is gone or merely unwilling,
and which exit code their user sees.
"""

NOT_RUNNING = "container not running"
DOES_NOT_EXIST = "container does not exist"

# Docker and podman turn a text with one of these into the exit codes 127 and 126 (moby daemon/errors.go,
# translateContainerdStartErr; podman libpod/oci_util.go, getOCIRuntimeError).
EXIT_CODE_PHRASES = (
    *("executable file not found", "no such file or directory", "permission denied", "operation not permitted"),
    *("open executable", "not a directory", "is a directory"),
)
