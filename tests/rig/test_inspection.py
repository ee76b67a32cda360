"""A runtime on a real board that is not the checkout's is told by the board's own tools. About 10 s."""

from collections.abc import Iterator

import pytest

from hybrid_hil.deadline import Deadline
from hybrid_hil.device.deployment import COMMAND, DIGESTS, FOLDER, RuntimePayload, checkout_payload, deploy
from hybrid_hil.device.inspection import StaleRuntimeError, require_deployed
from hybrid_hil.shell import Shell

MODULE = f"{FOLDER}/hybrid_runtime/system/path.py"
CACHED = f"{FOLDER}/hybrid_runtime/system/__pycache__/path.*.pyc"
KEPT = "/tmp/runtime"
DEPLOY_S = 60.0
LOOK_S = 20.0


@pytest.fixture(scope="module")
def packed() -> RuntimePayload:
    return checkout_payload()


@pytest.fixture(scope="module")
def kept(shell: Shell, packed: RuntimePayload) -> Iterator[str]:
    """The folder of a copy of the right runtime: compiling it once more after each test takes seconds."""
    deploy(shell, packed, Deadline(DEPLOY_S))
    shell.run(f"cp -a {FOLDER} {KEPT}")
    yield KEPT
    shell.run(f"rm -rf {KEPT}")


@pytest.fixture
def harmed(shell: Shell, packed: RuntimePayload, kept: str) -> Iterator[Shell]:
    """A board that has the right runtime again afterwards."""
    yield shell
    shell.run(f"rm -rf {FOLDER} && cp -a {kept} {FOLDER} && ln -sfn {FOLDER}/bin/hybrid-runtime {COMMAND}")
    require_deployed(shell, packed, Deadline(LOOK_S))


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (f"echo '# mine' >>{MODULE}", "`hybrid_runtime/system/path.py` differs"),
        (f"echo another >{FOLDER}/COMMIT", "`COMMIT` differs"),
        (
            f"cd {FOLDER} && echo another >COMMIT && sed -i /COMMIT/d {DIGESTS} && sha256sum COMMIT >>{DIGESTS}"
            f" && sha256sum -c {DIGESTS}",
            f"`COMMIT` differs, `{DIGESTS}` differs",
        ),
        (f"rm {MODULE}", "`hybrid_runtime/system/path.py` is missing"),
        (f"echo 'X = 1' >{FOLDER}/hybrid_runtime/old.py", "`hybrid_runtime/old.py` does not belong there"),
        (
            f"cp {MODULE} /tmp/path.py; echo '# mine' >>{MODULE}; python3 -IS -m compileall -q -f "
            f"--invalidation-mode timestamp {MODULE}; cp /tmp/path.py {MODULE}; rm /tmp/path.py",
            "`hybrid_runtime/system/__pycache__/path.cpython-",
        ),
        (f"rm {CACHED}", "`hybrid_runtime/system/path.py` has no byte code"),
        (f"for f in {CACHED}; do : >$f; done", ".pyc` is of another source"),
        (f"ln -sfn /bin/true {COMMAND}", f"`{COMMAND}` leads elsewhere"),
        (f"rm -r {FOLDER}", "`bin/hybrid-runtime` is missing"),
    ],
)
def test_what_is_otherwise_is_refused_by_name(harmed: Shell, packed: RuntimePayload, harm: str, told: str) -> None:
    require_deployed(harmed, packed, Deadline(LOOK_S))
    harmed.run(harm)
    with pytest.raises(StaleRuntimeError, match=r"^the runtime on the board is not this checkout's: ") as caught:
        require_deployed(harmed, packed, Deadline(LOOK_S))
    assert told in caught.value.message
    assert caught.value.remedy.endswith("deploy it again: hil deploy")
