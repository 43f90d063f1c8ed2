"""For nbval: the notebooks of a framework that this machine cannot have are skipped, with the reason."""

import pytest

from alexbook._probe import mxnet_absent_reason


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip MXNet's notebooks where MXNet has no wheel."""
    if reason := mxnet_absent_reason():
        for item in items:
            if item.path.suffix == ".ipynb" and item.path.parent.name == "mxnet":
                item.add_marker(pytest.mark.skip(reason=reason))
