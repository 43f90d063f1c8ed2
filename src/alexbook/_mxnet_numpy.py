"""MXNet 1.9.1 on today's NumPy.

MXNet looks up names, while it is imported, that NumPy has since renamed or dropped. This module gives them
back, each only where NumPy lacks it, and imports MXNet. For MXNet alone: import `alexbook.mxnet`, not this.
"""

import os
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from alexbook._backend import needs
from alexbook._cpu import cores, has_tiles

_RENAMED: dict[str, Any] = {
    "PZERO": 0.0,
    "NZERO": -0.0,
    "PINF": np.inf,
    "NINF": -np.inf,
    "Inf": np.inf,
    "NAN": np.nan,
    "NaN": np.nan,
    "alltrue": np.all,
    "sometrue": np.any,
    "product": np.prod,
    "round_": np.round,
    "row_stack": np.vstack,
    "in1d": lambda ar1, *others, **options: np.isin(np.ravel(ar1), *others, **options),
    "msort": lambda a: np.sort(a, axis=0),
    "trapz": np.trapezoid,
}
# Left for the package numpy-financial. MXNet's table of fallbacks names them, and they only have to exist.
_FINANCIAL = ("mirr", "npv", "pmt", "ppmt", "pv", "rate")


def import_mxnet() -> ModuleType:
    """MXNet, ready for use.

    Raises:
        ImportError: MXNet is not installed, or has no wheel for this machine; the message says what to do.
    """
    give_names_back()
    # Read once, while MXNet is loaded. By itself it takes half of the cores.
    os.environ.setdefault("OMP_NUM_THREADS", str(cores()))
    if has_tiles():  # MXNet's oneDNN of 2021 knows AMX, and uses it where it is told to
        os.environ.setdefault("DNNL_MAX_CPU_ISA", "AVX512_CORE_AMX")
    with needs("alexbook.mxnet"), warnings.catch_warnings():
        # MXNet compares version numbers with distutils, in four places.
        warnings.filterwarnings("ignore", "distutils Version classes", DeprecationWarning)
        import mxnet
    module: ModuleType = mxnet
    return module


def give_names_back() -> None:
    """Adds to NumPy the names that it lacks and MXNet needs; what NumPy has stays as it is."""
    for name, value in (_RENAMED | {name: _moved(name) for name in _FINANCIAL}).items():
        # vars, not hasattr: NumPy answers hasattr for some lost names with a warning.
        if name not in vars(np):
            setattr(np, name, value)


def _moved(name: str) -> Callable[..., Any]:
    def financial(*_: object, **__: object) -> Any:
        raise NotImplementedError(f"numpy.{name} has left NumPy: use the package numpy-financial")

    return financial
