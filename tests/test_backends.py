"""The three backends: d2l with its names, the same pixels in the same order, the same network from the same start."""

import importlib
import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import backend_fixtures
import data_fixtures
import jupytext
import numpy as np
import pytest
from backend_fixtures import NAMES, present

from alexbook import _sources, data

alone, backend = data_fixtures.alone, backend_fixtures.backend

MODULES = {"mxnet": "mxnet", "pytorch": "torch", "tensorflow": "tensorflow"}
OURS = {"load_data_fashion_mnist", "train_ch6"}


@pytest.fixture(autouse=True)
def full(monkeypatch):
    """All of the sample's images, on a CPU too."""
    monkeypatch.setenv("ALEXBOOK_PROFILE", "full")


def test_what_is_not_ours_is_d2ls(backend):
    d2l = importlib.import_module(f"d2l.{MODULES[backend.name]}")
    names = {name for name in dir(d2l) if not name.startswith("__")}
    assert {"Animator", "try_gpu", "Timer", "plt", "show_images"} < names
    assert {name for name in names if getattr(backend.d2l, name) is not getattr(d2l, name)} == OURS
    assert names | {"train_ch6", "_Loader"} <= set(dir(backend.d2l))


def test_a_name_that_nobody_has(backend):
    module = MODULES[backend.name]
    message = f"module 'alexbook.{module}' has no attribute 'Animatr', and neither has 'd2l.{module}'"
    with pytest.raises(AttributeError, match=message) as raised:
        backend.d2l.Animatr  # noqa: B018
    assert raised.value.name == "Animatr"


ALONE = """
import json, sys, numpy
before = "product" in vars(numpy)
from alexbook import {module} as d2l
loaded = [name for name in ("mxnet", "torch", "tensorflow") if name in sys.modules]
print(json.dumps([loaded, before, "product" in vars(numpy)]))
"""


def test_a_backend_comes_alone_and_leaves_numpy_as_it_was(backend):
    module = MODULES[backend.name]
    command = [sys.executable, "-W", "error", "-c", ALONE.format(module=module)]
    run = subprocess.run(command, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) == [[module], False, module == "mxnet"]


@pytest.mark.parametrize(
    ("module", "missing", "install"),
    [
        ("mxnet", "mxnet", "--no-deps mxnet==1.9.1"),
        ("mxnet", "d2l", "--no-deps d2l==1.0.3"),
        ("torch", "torch", "torch"),
        ("torch", "d2l", "--no-deps d2l==1.0.3"),
        ("tensorflow", "tensorflow", "tensorflow"),
        ("tensorflow", "d2l", "--no-deps d2l==1.0.3"),
    ],
)
def test_what_is_missing_is_named_with_the_line_that_installs_it(monkeypatch, module, missing, install):
    if module == "mxnet" and missing == "d2l":
        present()  #
    monkeypatch.delitem(sys.modules, f"alexbook.{module}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError) as raised:
        importlib.import_module(f"alexbook.{module}")
    assert str(raised.value) == f"alexbook.{module} needs {missing}, which is not installed: pip install {install}"
