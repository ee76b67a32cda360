"""Runs on the board, with its own Python: lives of a firmware and of a Linux container in turns.

usage: engine_on_board.py ENGINE REFERENCE FIRMWARE_IMAGE LINUX_IMAGE PROCESSOR_OPTION… COUNT
prints {"run": {"firmware": [seconds, …], "linux": […]}, "stop": …, "start": …, "rm": …}
"""

import json
import subprocess
import sys
import time

OURS = "hybrid-runtime"
CONTAINER = "bench"
VERBS = ("run", "stop", "start", "rm")


def timed(*words: str) -> float:
    begun = time.monotonic()
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if done.returncode:
        raise SystemExit(f"{words}: {done.returncode}: {done.stderr}")
    return seconds


def life(engine: str, runtime: str, options: list[str], image: str) -> dict[str, float]:
    """Seconds of each of VERBS: `run --detach`, `stop`, `start` of what was stopped, `rm` after another `stop`."""
    words = [engine, "run", "--detach", "--name", CONTAINER, "--network", "none", "--runtime", runtime]
    found = {"run": timed(*words, *options, image)}
    for verb in ("stop", "start"):
        found[verb] = timed(engine, verb, CONTAINER)
    timed(engine, "stop", CONTAINER)
    found["rm"] = timed(engine, "rm", CONTAINER)
    return found


def main() -> None:
    engine, reference, firmware, linux, *options, count = sys.argv[1:]
    found: dict[str, dict[str, list[float]]] = {verb: {"firmware": [], "linux": []} for verb in VERBS}
    for _ in range(int(count)):
        for kind, runtime, given, image in (
            ("firmware", OURS, options, firmware),
            ("linux", reference, [], linux),
        ):
            for verb, seconds in life(engine, runtime, given, image).items():
                found[verb][kind].append(seconds)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
