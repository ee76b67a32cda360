"""A processor: one instance of the kernel remoteproc framework."""
