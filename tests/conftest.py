"""The choice of tests: all of them, or with --fast those that take no seconds."""

import pytest

LONG = (
    "tests/test_end_to_end.py",
    "tests/atlas_site/test_foreign_networks.py",
    "tests/stages/test_stages_over_processes.py",
    "tests/stages/test_train.py",
    "tests/faults/test_bytes.py",
    "tests/faults/test_kills.py",
    "tests/faults/test_limits.py",
    "tests/faults/test_images.py",
    "tests/faults/test_inputs.py",
    "tests/stages/test_stages_sockets.py",
    "tests/stages/test_verify.py",
    "tests/test_errors.py",
)
"""Files whose tests take longest."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out the tests marked slow")
    parser.addoption("--faults", default=1, type=int, help="faults of each kind in tests/faults/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # The longest files first, or one core waits for one of them at the end.
    place = {file: number for number, file in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.nodeid.partition("::")[0], len(LONG)))
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)
    if config.getoption("--fast"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow; left out by --fast"))
