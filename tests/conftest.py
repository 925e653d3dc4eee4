"""Which tests run: all of them, or with --fast those that take no seconds."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fast", action="store_true", help="leave out the tests marked slow")
    parser.addoption("--faults", default=1, type=int, help="faults of each kind in tests/faults/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # The longest file first, or one core waits for it at the end.
    items.sort(key=lambda item: "test_end_to_end" not in item.nodeid)
    if config.getoption("--fast"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow; left out by --fast"))
