from __future__ import annotations

import pytest
from painted import turning

from rib.structures.person_interval import PersonInterval


@pytest.fixture
def waving() -> PersonInterval:
    """The arm goes from 10 degrees above the horizon to 70 degrees below it: further than it is wide."""
    return turning(-10, 70)
