"""Where containers are kept when nobody says so: the same place from each way in which podman calls, root or rootless.

The environments are those that podman 4.3 and its conmon gave a runtime which wrote them down.
"""

import ctypes
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybrid_runtime.container.record import Record
from hybrid_runtime.container.store import Store
from hybrid_runtime.system.system_paths import SystemPaths, default_root

# Nobody's number, and another one in each process that runs tests.
USER = 50_000 + os.getpid() % 10_000
CLONE_NEWUSER = 0x10000000
IDENTIFIER = "test-of-the-private-root"
ENVIRONMENTS = {
    "conmon of root": {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "XDG_RUNTIME_DIR": "/run/user/0"},
    "podman of root": {"XDG_RUNTIME_DIR": ""},
    "conmon, rootless": {
        "PATH": "/usr/bin:/bin",
        "HOME": "/home/user",
        "XDG_RUNTIME_DIR": f"/run/user/{USER}",
        "_CONTAINERS_USERNS_CONFIGURED": "done",
        "_CONTAINERS_ROOTLESS_UID": str(USER),
        "_CONTAINERS_ROOTLESS_GID": str(USER),
    },
    "podman, rootless": {"XDG_RUNTIME_DIR": "", "_CONTAINERS_USERNS_CONFIGURED": "done"},
    "a person": {"HOME": "/home/user", "XDG_RUNTIME_DIR": "/somewhere/else"},
}


def enter_user_namespace() -> None:
    """As `unshare -Ur` and podman do: the user is root inside. Raises OSError where that is not permitted."""
    outer = os.geteuid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER)")
    Path("/proc/self/uid_map").write_text(f"0 {outer} 1\n")


def asked_as(user: int, environment: dict[str, str], act: Callable[[], object], *, namespace: bool) -> object:
    """The answer of `act` in a process of that user, inside a user namespace of its own if told so."""
    readable, writable = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.environ.clear()
            os.environ.update(environment)
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            # Otherwise /proc/self is root's (prctl(2), PR_SET_DUMPABLE).
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
            if namespace:
                enter_user_namespace()
            answer = {"answer": act()}
        except OSError as error:
            answer = {"error": f"{error}"}
        os.write(writable, json.dumps(answer).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable, "rb") as pipe:
        found = json.loads(pipe.read())
    os.waitpid(pid, 0)
    if "error" in found:
        pytest.skip(f"user {user}, namespace {namespace}: {found['error']}; this way in is not tried")
    return found["answer"]


pytestmark = pytest.mark.alone


@pytest.fixture
def clean() -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root: the private roots of other users are not tried")
    yield
    shutil.rmtree(f"/tmp/hybrid-runtime-{USER}", ignore_errors=True)


def root() -> str:
    return default_root(SystemPaths())


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("namespace", [False, True])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_root_of_each_way_in(environment: str, namespace: bool) -> None:
    """No variable says where; inside a user namespace it is the outer user that counts."""
    assert asked_as(USER, ENVIRONMENTS[environment], root, namespace=namespace) == f"/tmp/hybrid-runtime-{USER}"
    assert asked_as(0, ENVIRONMENTS[environment], root, namespace=False) == "/run/hybrid-runtime"


@pytest.mark.usefixtures("clean")
def test_a_container_is_found_from_each_way_in() -> None:
    def make() -> object:
        record = Record(IDENTIFIER, "/bundle", "2026-11-22T04:32:50Z")
        record.save(Store(SystemPaths(), root()).make_folder(IDENTIFIER))
        return True

    def find() -> object:
        store = Store(SystemPaths(), root())
        return [store.load(IDENTIFIER).bundle, store.identifiers()]

    asked_as(USER, ENVIRONMENTS["conmon, rootless"], make, namespace=True)
    for name, environment in ENVIRONMENTS.items():
        for namespace in (False, True):
            assert asked_as(USER, environment, find, namespace=namespace) == ["/bundle", [IDENTIFIER]], name
    folder = Path(f"/tmp/hybrid-runtime-{USER}")
    assert (folder.stat().st_uid, folder.stat().st_mode & 0o777) == (USER, 0o700)
    assert (folder / IDENTIFIER).stat().st_mode & 0o777 == 0o700


@pytest.mark.usefixtures("clean")
def test_a_root_that_somebody_else_has_made_first() -> None:
    """Below /tmp anybody can: with records that name processes to be killed and links to be followed."""
    folder = Path(f"/tmp/hybrid-runtime-{USER}")

    def refused() -> object:
        from hybrid_runtime.system.failure import Failure

        try:
            Store(SystemPaths(), root()).identifiers()
        except Failure as failure:
            return failure.message
        return ""

    for is_link in (False, True):
        if is_link:
            folder.symlink_to("/tmp")
        else:
            folder.mkdir(0o700)
        for namespace in (False, True):
            message = asked_as(USER, {}, refused, namespace=namespace)
            assert message == f"`{folder}` is not a private folder of this user"
        folder.unlink() if is_link else folder.rmdir()
