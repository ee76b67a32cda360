"""The JSON schemas of the OCI runtime specification, where this machine has them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

VARIABLE = "HYBRID_OCI_SCHEMAS"
# Of Debian's golang-github-opencontainers-specs-dev (the state of 1.0.2; it has no features).
DEBIAN = Path("/usr/share/gocode/src/github.com/opencontainers/runtime-spec/schema")
CHECKOUT = Path(__file__).resolve().parents[3]
BESIDE = "oci-runtime-spec/schema"


def places() -> list[Path]:
    """The first that has the file counts: the folder that the variable names, one beside the checkout, Debian's."""
    named = os.environ.get(VARIABLE)
    beside = [folder for depth in ("", "*/", "*/*/") for folder in CHECKOUT.parent.glob(depth + BESIDE)]
    return [*([Path(named)] if named else []), *beside, DEBIAN]


def schema_file(name: str) -> Path:
    """`state-schema.json` and the like; skips the test where there is none."""
    looked_at = [folder / name for folder in places()]
    found = next((path for path in looked_at if path.is_file()), None)
    if found is None:
        pytest.skip(f"set {VARIABLE} to the schema folder of the OCI runtime spec; looked at {looked_at}")
    return found


def validator(name: str) -> Draft4Validator:
    """Skips the test where there is no such schema."""
    folder = schema_file(name).parent
    resources = [(path.name, resource(path)) for path in folder.glob("*.json")]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft4Validator({"$ref": name}, registry=registry)


def resource(path: Path) -> Resource[Any]:
    return Resource.from_contents(json.loads(path.read_bytes()), default_specification=DRAFT4)
