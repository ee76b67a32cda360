"""Runs on the board, with its own Python: `run --detach` and `stop` of a firmware and of a Linux container in turns.

usage: engine_on_board.py ENGINE REFERENCE FIRMWARE_IMAGE LINUX_IMAGE PROCESSOR_OPTION… COUNT
prints {"run": {"firmware": [seconds, …], "linux": […]}, "stop": …}
"""

import json
import subprocess
import sys
import time

OURS = "hybrid-runtime"
CONTAINER = "bench"


def timed(*words: str) -> float:
    begun = time.monotonic()
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(f"{words}: {done.returncode}: {done.stderr}")
    return seconds


def life(engine: str, runtime: str, options: list[str], image: str) -> tuple[float, float]:
    """Seconds of `run --detach` and of `stop`; what is removed afterwards is not timed."""
    words = [engine, "run", "--detach", "--name", CONTAINER, "--network", "none", "--runtime", runtime]
    run = timed(*words, *options, image)
    stop = timed(engine, "stop", CONTAINER)
    timed(engine, "rm", CONTAINER)
    return run, stop


def main() -> None:
    engine, reference, firmware, linux, *options, count = sys.argv[1:]
    found: dict[str, dict[str, list[float]]] = {verb: {"firmware": [], "linux": []} for verb in ("run", "stop")}
    for _ in range(int(count)):
        for kind, runtime, given, image in (
            ("firmware", OURS, options, firmware),
            ("linux", reference, [], linux),
        ):
            run, stop = life(engine, runtime, given, image)
            found["run"][kind].append(run)
            found["stop"][kind].append(stop)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
