"""What of a test's parameters is too long for the day."""

from typing import Any

import pytest


def at_night(*values: object) -> list[Any]:
    """Parameters for parametrize that have the marker `nightly`."""
    return [pytest.param(value, marks=pytest.mark.nightly) for value in values]
