"""A pytest plugin: of a test with many parameters a few are run, drawn by the run's seed.

For the second database, where what differs is the database and not the case.
"""

import os
import random
from collections import defaultdict

import pytest

FEW = 3


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out all but FEW of each test's parameters; pytest says how many."""
    seed = os.environ.get("PROOF_SEED") or os.environ.get("PYTEST_XDIST_TESTRUNUID")
    chance = random.Random(seed)  # noqa: S311
    by_test: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        by_test[item.nodeid.partition("[")[0]].append(item)
    kept = {
        item
        for cases in by_test.values()
        for item in chance.sample(cases, min(FEW, len(cases)))
    }
    config.hook.pytest_deselected(items=[i for i in items if i not in kept])
    items[:] = [item for item in items if item in kept]
