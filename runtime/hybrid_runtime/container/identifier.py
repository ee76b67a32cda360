"""What may name a container."""

from hybrid_runtime.system.failure import Failure

LONGEST = 255
_ALLOWED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-")


def check_identifier(identifier: str) -> str:
    """A container's id becomes a folder name: letters, digits and `_.+-`, 1 to 255 of them, not `.` or `..`.

    Returns it unchanged; raises Failure.
    """
    if not identifier:
        raise Failure("the container id is empty", "give a name of letters, digits and _ . + -")
    if len(identifier) > LONGEST:
        raise Failure(f"the container id has {len(identifier)} characters", f"at most {LONGEST} are allowed")
    if not is_identifier(identifier):
        raise Failure(
            f"the container id `{identifier}` is not allowed",
            "use letters, digits and _ . + -",
        )
    return identifier


def is_identifier(name: str) -> bool:
    return 0 < len(name) <= LONGEST and name not in (".", "..") and _ALLOWED.issuperset(name)
