"""The machine: its files, paths, processes, namespaces and clocks, and texts about all of it."""
