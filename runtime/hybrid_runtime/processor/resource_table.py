"""A firmware's resource table in the kernel's words (rproc_rsc_table_show, remoteproc_debugfs.c)."""

_LARGEST = 1 << 20


def trace_lengths(path: str) -> list[int]:
    """Bytes of each trace buffer, in their order; empty when that is not to be had."""
    lengths: list[int] = []
    in_trace = False
    try:
        with open(path, "rb") as source:
            lines = source.read(_LARGEST).split(b"\n")
    except OSError:
        return []
    for line in lines:
        words = line.split()
        if words[:1] == [b"Entry"]:
            in_trace = words[-1] == b"trace"
        elif in_trace and words[:1] == [b"Length"] and len(words) > 1:
            try:
                lengths.append(int(words[1], 16))
            except ValueError:
                return []
    return lengths
