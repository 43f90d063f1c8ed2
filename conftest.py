"""For nbval: the notebooks that this machine cannot run, or not in an hour, are skipped, with the reason."""

import pytest

from alexbook._cpu import has_avx512, has_bf16
from alexbook._probe import mxnet_absent_reason


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip MXNet's notebooks where MXNet has no wheel, and the speed of bfloat16 where nothing computes it."""
    reasons = {("mxnet", None): mxnet_absent_reason()}
    if not has_bf16() and not has_avx512():
        slow = "bfloat16 takes minutes to an hour on a processor without AVX-512"
        reasons |= {("pytorch", "speed"): slow, ("tensorflow", "speed"): slow}
    for item in items:
        for (backend, chapter), reason in reasons.items():
            here = item.path.suffix == ".ipynb" and item.path.parent.name == backend
            if reason and here and chapter in (None, item.path.stem):
                item.add_marker(pytest.mark.skip(reason=reason))
