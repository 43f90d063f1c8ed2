"""The code of D2L's own chapter runs with alexbook: the import line changes, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from alexbook._probe import mxnet_absent_reason

DOCUMENT = Path(os.environ.get("ALEXBOOK_DOCUMENT") or Path(__file__).parents[2] / "shared" / "document.md")
MODULES = {"mxnet": "mxnet", "pytorch": "torch", "tensorflow": "tensorflow"}
DEVICES = {"mxnet": r"[cg]pu\(0\)", "pytorch": "(cpu|cuda:0)", "tensorflow": "/[CG]PU:0"}

pytestmark = pytest.mark.skipif(not DOCUMENT.is_file(), reason="the document is not here")


def cells(backend):
    """The cells of a backend and of all, in their order. A cell's first line says whose it is; without, MXNet's."""
    found = []
    for token in MarkdownIt().parse(DOCUMENT.read_text("utf-8")):
        if token.type == "fence" and token.info == "{.python .input}":
            tab = re.match(r"#@tab (\w+)", token.content)
            if (tab[1] if tab else "mxnet") in (backend, "all"):
                found.append(token.content)
    return found


@pytest.fixture(params=MODULES)
def program(request):
    """A backend, and its cells with another import line.

    It stays where the document has it, first: so NumPy is ready before MXNet is imported, one line below.
    """
    backend, module = request.param, MODULES[request.param]
    if backend == "mxnet" and (reason := mxnet_absent_reason()):
        pytest.skip(reason)
    found, line = "\n".join(cells(backend)), f"from d2l import {module} as d2l\n"
    assert found.count("d2l import") == 1
    assert backend != "mxnet" or found.startswith(line)
    return backend, found.replace(line, f"from alexbook import {module} as d2l\n")


def test_each_backend_has_its_four_cells():
    network, shapes, load, train = zip(*map(cells, MODULES), strict=True)
    assert all("11" in cell and "4096" in cell for cell in network)
    assert all("output shape" in cell for cell in shapes)
    assert len({*load, *train}) == 2
    assert "resize=224" in load[0] and "d2l.train_ch6(" in train[0]


def test_the_cells_run_with_only_the_import_line_changed(program, tmp_path):
    backend, code = program
    command = [sys.executable, "-c", code]
    environment = os.environ | {
        "ALEXBOOK_PROFILE": "smoke",
        "ALEXBOOK_OFFLINE": "1",
        "MPLBACKEND": "agg",  # no window
        "TF_CPP_MIN_LOG_LEVEL": "1",  # TensorFlow's warnings, not what it says of a GPU that is well
    }
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert (run.returncode, run.stderr) == (0, "")
    assert re.findall(r"output shape:\t .*?\b(\d+(?:, \d+)*)", run.stdout)[-1] == "1, 10"
    assert re.search(
        r"^Profile smoke: 256 of .*\n"
        r"Profile smoke: 1 of 10 epochs \(ALEXBOOK_PROFILE=full for all\)\n"
        r"loss \d\.\d{3}, train acc 0\.\d{3}, test acc 0\.\d{3}\n"
        rf"\d+\.\d examples/sec on {DEVICES[backend]}\n$",
        run.stdout,
        re.MULTILINE,
    )
