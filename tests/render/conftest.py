from __future__ import annotations

import pytest
from painted import turning

from rib.structures.interval import Interval


@pytest.fixture
def waving() -> Interval:
    """The arm goes from 10 degrees above the horizon to 70 degrees below it: further than it is wide."""
    return turning(-10, 70)
