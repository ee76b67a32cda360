"""Which claims are prepared, kept in a file: a kubelet asks again after any restart, also while the cluster is away."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FORMAT = 1


@dataclass(frozen=True)
class PreparedDevice:
    """One device of a claim. `request` is the name of the claim's request that it is for, `cdi` its qualified name."""

    request: str
    pool: str
    device: str
    cdi: str


class PreparedClaims:
    """By the uid of the claim."""

    def __init__(self, path: Path) -> None:
        """Raises ValueError for a file that this version did not write, OSError where it cannot be read."""
        self._path = path
        self._claims = _read(path)

    def get(self, uid: str) -> Sequence[PreparedDevice] | None:
        return self._claims.get(uid)

    def keep(self, uid: str, devices: Sequence[PreparedDevice]) -> None:
        """Raises OSError, and the claim is then not prepared."""
        self._write({**self._claims, uid: tuple(devices)})

    def drop(self, uid: str) -> None:
        """Also of one that nobody knows. Raises OSError."""
        if uid in self._claims:
            self._write({other: devices for other, devices in self._claims.items() if other != uid})

    def _write(self, claims: dict[str, tuple[PreparedDevice, ...]]) -> None:
        kept = {uid: [asdict(device) for device in devices] for uid, devices in claims.items()}
        temporary = self._path.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as target:
            json.dump({"format": FORMAT, "claims": kept}, target, indent=1)
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(self._path)
        self._claims = claims


def _read(path: Path) -> dict[str, tuple[PreparedDevice, ...]]:
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    try:
        if kept["format"] != FORMAT:
            raise ValueError(f"it is of format `{kept['format']}`")
        return {uid: tuple(PreparedDevice(**device) for device in devices) for uid, devices in kept["claims"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is damaged: {error}") from error
