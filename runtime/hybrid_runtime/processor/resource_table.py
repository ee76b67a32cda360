"""A firmware's resource table in the kernel's words (rproc_rsc_table_show, remoteproc_debugfs.c)."""

# The table is the firmware's, and may be as large: neither more lines nor longer ones are read.
_MOST_LINES = 4096
_LONGEST_LINE = 256


def trace_lengths(path: str, most: int) -> list[int]:
    """Bytes of each trace buffer, in their order, of the first `most`; empty when that is not to be had."""
    lengths: list[int] = []
    in_trace = False
    try:
        with open(path, "rb") as source:
            for _ in range(_MOST_LINES):
                line = source.readline(_LONGEST_LINE)
                if not line or len(lengths) == most:
                    break
                words = line.split()
                if words[:1] == [b"Entry"]:
                    in_trace = words[-1] == b"trace"
                elif in_trace and words[:1] == [b"Length"] and len(words) > 1:
                    lengths.append(int(words[1], 16))
    except (OSError, ValueError):
        return []
    return lengths
