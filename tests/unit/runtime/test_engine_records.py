"""Records of runs on boards, and the tables made of them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from hybrid_hil.host.checkout import checkout_root
from tests.engines.record import (
    COLUMNS,
    OPERATIONS,
    Record,
    column_of,
    operations_table,
    recorded,
    records,
    upstream,
    versions_table,
)

JUNIT = """<testsuites><testsuite>
<properties><property name="CRI-O" value="1.37.0"/></properties>
<testcase classname="tests.engines.test_lifecycle" name="test_crash[podman]"/>
<testcase classname="tests.engines.test_lifecycle" name="test_crash[docker]"><failure message="x"/></testcase>
<testcase classname="tests.engines.test_cri" name="test_crash_of_a_pod"><skipped message="x"/></testcase>
<testcase classname="tests.engines.test_ctr" name="test_crash[shim]"/>
</testsuite></testsuites>"""
LATER = """<testsuites><testsuite>
<testcase classname="tests.engines.test_lifecycle" name="test_crash[podman]"><skipped message="x"/></testcase>
<testcase classname="tests.engines.test_ctr" name="test_crash[shim]"><skipped message="x"/></testcase>
<testcase classname="tests.engines.test_pods" name="test_kube_play[pod-podman]"/>
</testsuite></testsuites>"""


def test_a_record_of_a_run(tmp_path: Path) -> None:
    junit = tmp_path / "junit.xml"
    junit.write_text(JUNIT)
    packages = {"podman": "5.4.2+ds1-2+b1", "docker.io": "28.5.2+dfsg4-1", "containerd": "1.6.20~ds1-1+deb12u1"}
    later = tmp_path / "later.xml"
    later.write_text(LATER)
    made = recorded([junit, later], {"debian": "13", "rootfs": {"packages": packages}})
    assert made["versions"] == {"podman": "5.4.2", "Docker": "28.5.2", "containerd": "1.6.20", "CRI-O": "1.37.0"}
    record = Record(**made)  # type: ignore[arg-type]
    crash = OPERATIONS["the core crashes: exit code 70"]
    assert [record.verdict(crash, column) for column in COLUMNS] == ["passed", "failed", "passed", "", ""]
    assert record.outcomes["test_pods::test_kube_play[pod-podman]"] == "passed"
    other = Record("12", {}, dict.fromkeys(record.outcomes, "passed"))
    (row,) = [line for line in operations_table([other, record]) if "exit code 70" in line]
    assert row == "| the core crashes: exit code 70 | yes | fails on 13; 12 | yes | 12 | |"
    assert "| podman | | 5.4.2 |" in versions_table([other, record])


@pytest.mark.parametrize(("page", "table"), [("engines", operations_table), ("engine-versions", versions_table)])
def test_the_pages_have_what_the_runs_have_shown(page: str, table: Callable[[Sequence[Record]], list[str]]) -> None:
    """`python -m tests.engines.record` prints both."""
    lines = (checkout_root() / f"docs/{page}.md").read_text().splitlines()
    assert [line for line in table(records()) if line not in lines] == []


@pytest.mark.parametrize(
    ("version", "number"), [("1:2.3~rc1-4", "2.3"), ("5.4.2+ds1-2+b1", "5.4.2"), ("3.13.5-1", "3.13.5")]
)
def test_upstream_versions(version: str, number: str) -> None:
    assert upstream(version) == number


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("test_copy::test_by_the_process[docker]", "Docker"),
        ("test_daemons::test_containers_outlive_dockerd[KILL-docker]", "Docker"),
        ("test_registry::test_index[containerd]", "containerd (`ctr`)"),
        ("test_cri::test_crash_of_a_pod[containerd]", "containerd (CRI)"),
        ("test_cri::test_crash_of_a_pod[crio]", "CRI-O"),
        ("test_documents::test_podman", "podman"),
        ("test_systemd::test_the_compose_file", "Docker"),
        ("test_docker::test_images_that_containerd_keeps[docker]", "Docker"),
        ("test_systemd::test_a_container_outlives_a_restart_of_containerd", "Docker"),
        ("test_containerd::test_an_image_verifier", "containerd (`ctr`)"),
        ("test_formats::test_an_artifact_of_oras", "containerd (`ctr`)"),
    ],
)
def test_whose_a_test_is(name: str, column: str) -> None:
    assert column_of(name) == column
