"""What runs of these tests have shown, and tables of it: engines by release, operations by engine.

python -m tests.engines.record IMAGE junit.xml… > tests/engines/records/13.json    # IMAGE: the folder of the image
python -m tests.engines.record                                                     # the tables

Of a test that several reports have, the last one counts that has not skipped it.
"""

import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("records")
# By the package that has the engine, or a part of it.
PACKAGES = {
    "podman": "podman",
    "conmon": "conmon",
    "crun": "crun",
    "Docker": "docker.io",
    "containerd": "containerd",
    "runc": "runc",
    "Python": "python3",
}
# Given by whoever built the image, and no package. A test tells its version to the report.
CRIO = "CRI-O"
NAMES = (*PACKAGES, CRIO)
COLUMNS = ("podman", "Docker", "containerd (`ctr`)", "containerd (CRI)", CRIO)
# What users do, and the tests that show it.
OPERATIONS = {
    "run in the background, the firmware's lines as logs, stop with exit code 0": (
        *("test_run_logs_inspect_stop_rm", "test_run_and_kill", "test_life_of_a_pod"),
    ),
    "every command of this page": ("test_podman", "test_docker", "test_containerd"),
    "kill with KILL: exit code 137, core off": ("test_kill",),
    "SIGKILL of the supervisor: the same": ("test_death_of_the_supervisor",),
    "rm --force of a running container, removal of a pod: core off": (
        "test_rm_force",
        "test_removal_of_a_pod_that_runs",
    ),
    "--rm": ("test_remove_when_it_ends",),
    "restart": ("test_restart",),
    "the core crashes: exit code 70": ("test_crash", "test_crash_of_a_pod"),
    "`--restart on-failure:N` after crashes, counted": ("test_restart_policy_after_crashes",),
    "two containers on two cores": ("test_two_containers_on_two_cores",),
    "refused: a core that is taken": ("test_a_second_container_on_a_busy_core",),
    "refused: no such processor": ("test_a_processor_that_is_not_there", "test_wrong_processor"),
    "refused: no firmware": ("test_a_file_that_is_no_firmware",),
    "refused with a reason, and the core goes on: exec, pause": ("test_what_a_core_cannot", "test_exec_into_firmware"),
    "top, stats and update": ("test_top_stats_and_update",),
    "cp out of a running container, and into it as in Limits": (
        *("test_out_of_a_running_container", "test_into_a_running_container", "test_by_the_process"),
    ),
    "a health check never becomes healthy, and the container goes on": ("test_a_health_check_is_never_healthy",),
    "the engine's own process is killed, and the core goes on": (
        *("test_death_of_conmon", "test_containers_outlive_dockerd", "test_death_of_containerd"),
    ),
    "`--init` is refused with a reason": ("test_init_is_no_firmware",),
    "events tell of a crash": ("test_events_tell_of_a_crash",),
    "checkpoint is refused": ("test_a_core_has_no_checkpoint",),
    "a pod with its infra container, and one without": (
        *("test_a_pod_and_its_infra_container", "test_a_pod_without_infra"),
    ),
    "`kube play` of the Pod, the Deployment and the DaemonSet that are shipped, and of what `kube generate` tells": (
        *("test_kube_play", "test_generate_tells_what_play_takes"),
    ),
    "logs as a file, nowhere, on the caller's terminal": (
        *("test_logs_as_a_file", "test_no_logs", "test_logs_on_the_terminal_of_the_caller"),
    ),
    "the engine's service, called from elsewhere": ("test_a_service_of_podman_s",),
    "a processor as a CDI device": (
        *("test_a_device_of_podman", "test_a_device_of_docker", "test_a_device_of_containerd"),
    ),
    "an annotation names the processor": ("test_an_annotation_names_the_processor",),
    "images in containerd's store": ("test_images_that_containerd_keeps",),
    "images of BuildKit with attestations": ("test_an_image_with_attestations",),
    "layers with gzip, zstd, zstd:chunked by buildah and skopeo": ("test_compressions",),
    "an OCI artifact": ("test_an_artifact_of_podman", "test_an_artifact_of_oras"),
    "`install` mends every version of the configuration": ("test_every_configuration_knows_the_runtime_after_install",),
    "asks the runtime for its features": ("test_what_the_runtime_can",),
    "an image verifier lets the image in": ("test_an_image_verifier",),
    "the shim of a pod is killed: the core is stopped, by `doctor --repair` if need be": (
        "test_a_pod_whose_shim_is_killed",
    ),
    "crun and runc hold the sandbox": ("test_who_holds_the_sandbox",),
    "users of its own are refused": ("test_users_of_its_own",),
    "as services of systemd: scopes, journald": (
        *("test_docker_s_containers_have_scopes", "test_podman_s_containers_have_scopes"),
    ),
    "systemd restarts containerd, and the core goes on": ("test_a_container_outlives_a_restart_of_containerd",),
    "the Compose file and the Quadlet unit that are shipped": ("test_the_compose_file", "test_the_quadlet_unit"),
    "auto-update of a unit": ("test_podman_updates_a_unit",),
    "for a caller who is not root, with pasta": ("test_life",),
    "images of a registry, indexes for several boards": (
        *("test_index_holds_an_image_for_each_board_and_this_boards_is_chosen",),
        "test_docker_pulls_an_image_that_podman_pushed",
    ),
}


@dataclass(frozen=True)
class Record:
    """Of one run: the Debian release of its board, versions by NAMES, and outcomes by test."""

    debian: str
    versions: Mapping[str, str]
    outcomes: Mapping[str, str]

    def verdict(self, tests: Sequence[str], column: str) -> str:
        """Of all of these tests that are the column's: `passed`, `failed`, or empty when none ran."""
        found = {
            outcome
            for name, outcome in self.outcomes.items()
            if _function(name) in tests and column_of(name) == column and outcome != "skipped"
        }
        return "failed" if "failed" in found else "passed" if found else ""


def _function(name: str) -> str:
    return name.partition("::")[2].partition("[")[0]


def column_of(name: str) -> str:
    """Whose test it is, by its file and its parameters."""
    file, _, test = name.partition("::")
    if file == "test_cri":
        return CRIO if "crio" in test else "containerd (CRI)"
    if test in ("test_the_compose_file", "test_a_container_outlives_a_restart_of_containerd"):
        return "Docker"
    if file in ("test_ctr", "test_containerd") or ("containerd" in test and "docker" not in test) or "oras" in test:
        return "containerd (`ctr`)"
    return "Docker" if "docker" in test else "podman"


def recorded(reports: Iterable[Path], manifest: Mapping[str, Any]) -> dict[str, object]:
    """A record as JSON, of runs on the image with that manifest."""
    packages = manifest["rootfs"]["packages"]
    versions = {name: upstream(packages[package]) for name, package in PACKAGES.items() if package in packages}
    outcomes: dict[str, str] = {}
    for report in map(ET.parse, reports):
        told = {found.get("name", ""): found.get("value", "") for found in report.iter("property")}
        versions |= {name: version for name, version in told.items() if name in NAMES}
        for case in report.iter("testcase"):
            name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name')}"
            if outcome(case) != "skipped" or name not in outcomes:
                outcomes[name] = outcome(case)
    return {"debian": manifest["debian"], "versions": versions, "outcomes": dict(sorted(outcomes.items()))}


def outcome(case: ET.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def upstream(version: str) -> str:
    """A Debian version without epoch, repacking and revision."""
    return re.split(r"[-+~]", version.rpartition(":")[2])[0]


def records() -> list[Record]:
    """Those that are kept, by release."""
    return [Record(**json.loads(path.read_text())) for path in sorted(FOLDER.glob("*.json"))]


def versions_table(kept: Sequence[Record]) -> list[str]:
    head = ["", *(f"Debian {record.debian}" for record in kept)]
    rows = [[name, *(record.versions.get(name, "") for record in kept)] for name in NAMES]
    return _table([head, *rows])


def operations_table(kept: Sequence[Record]) -> list[str]:
    rows = [[title, *(_cell(kept, tests, column) for column in COLUMNS)] for title, tests in OPERATIONS.items()]
    return _table([["operation", *COLUMNS], *rows])


def _cell(kept: Sequence[Record], tests: Sequence[str], column: str) -> str:
    verdicts = {record.debian: record.verdict(tests, column) for record in kept}
    if not any(verdicts.values()):
        return ""
    failed = [name for name, verdict in verdicts.items() if verdict == "failed"]
    passed = [name for name, verdict in verdicts.items() if verdict == "passed"]
    words = [f"fails on {', '.join(failed)}"] if failed else []
    return "yes" if passed == list(verdicts) else "; ".join([*words, *[", ".join(passed)][: len(passed)]])


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(row)} |".replace("|  |", "| |").replace("|  |", "| |") for row in rows]
    return [lines[0], "|" + "---|" * len(rows[0]), *lines[1:]]


def main(words: Sequence[str]) -> None:
    if words:
        image, *reports = map(Path, words)
        print(json.dumps(recorded(reports, json.loads((image / "manifest.json").read_text())), indent=1))
        return
    for table in (versions_table(records()), operations_table(records())):
        print("\n".join(table), end="\n\n")


if __name__ == "__main__":
    main(sys.argv[1:])
