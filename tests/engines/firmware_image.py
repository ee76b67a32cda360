"""Images that hold one file: firmware for a core, or a program of the board for a container of the usual kind."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from tests.image_builder import member, tar


def archive(
    tag: str, path: str, content: bytes, command: Sequence[str], labels: Mapping[str, str] | None = None
) -> bytes:
    """As `docker save` writes it: every engine loads that."""
    info, data = member(path, content)
    info.mode = 0o755
    layer = tar((info, data))
    configuration = {
        "architecture": "arm64",
        "os": "linux",
        "config": {"Cmd": list(command), "Labels": dict(labels or {})},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    document = json.dumps(configuration).encode()
    name = f"{hashlib.sha256(document).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [tag], "Layers": ["layer.tar"]}]
    return tar(
        member("layer.tar", layer), member(name, document), member("manifest.json", json.dumps(manifest).encode())
    )
