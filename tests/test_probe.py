"""Trying a package: whatever it does, the one who asks gets an answer."""

import re
from pathlib import Path

import pytest

from alexbook import _probe

ALIVE = "import types; m = types.SimpleNamespace(__version__='1.2'); gpus = []"
SICK = {
    "missing": ("import no_such_framework", "ModuleNotFoundError: No module named 'no_such_framework'"),
    "broken": (
        "raise RuntimeError('operator nms does not exist')",
        "RuntimeError: operator nms does not exist",
    ),
    "crashing": ("import os; os.abort()", r"its import crashed \(exit code -?\d+\); its last words: none"),
    "complaining": (
        "import os; os.write(2, 'no AVX: ダメ'.encode()); os.abort()",
        r"its import crashed \(exit code -?\d+\); its last words: no AVX: ダメ",
    ),
    "silent": ("import os; os._exit(3)", r"its import crashed \(exit code 3\); its last words: none"),
    "endless": ("import time; time.sleep(60)", "its import took more than 1 s"),
}


def package(code=ALIVE, name="PyTorch", module="torch"):
    return _probe.Package(name, module, "torch torchvision", code)


@pytest.mark.parametrize(("code", "found"), SICK.values(), ids=SICK)
def test_no_sickness_is_contagious(monkeypatch, code, found):
    monkeypatch.setattr(_probe, "PATIENCE", 1 if "sleep" in code else 60)
    check, gpus = _probe.probe(package(code))
    assert (check.works, gpus) == (False, [])
    assert re.fullmatch(found, check.found)


def test_what_is_there_but_broken_is_installed_again():
    check, _ = _probe.probe(package("raise ImportError", module="pytest"))
    assert check.fix.startswith(_probe.install("torch torchvision", again=True))


@pytest.mark.parametrize(
    ("pip", "uv", "command"),
    [
        (True, True, "/my/python -m pip install --force-reinstall d2l"),
        (False, True, "uv pip install --python /my/python --reinstall d2l"),
        (False, False, ".uv/bin/uv pip install --python /my/python --reinstall d2l"),
    ],
)
def test_the_fix_is_a_command_that_this_python_has(monkeypatch, pip, uv, command):
    monkeypatch.setattr(_probe, "distributions", lambda name: [name] * pip)
    monkeypatch.setattr(_probe.shutil, "which", lambda name: name if uv else None)
    monkeypatch.setattr(_probe.sys, "executable", "/my/python")
    assert _probe.install("d2l", again=True) == command
    assert _probe.install("d2l") == command.replace("--force-reinstall ", "").replace("--reinstall ", "")


def test_paths_with_spaces_are_quoted(monkeypatch):
    monkeypatch.setattr(_probe, "distributions", lambda name: [])
    monkeypatch.setattr(_probe.shutil, "which", lambda name: "/First Last/uv")
    monkeypatch.setattr(_probe.sys, "executable", "/my own/python")
    assert _probe.install("d2l") == '"/First Last/uv" pip install --python "/my own/python" d2l'


def test_chatter_of_an_import_is_no_answer():
    check, gpus = _probe.probe(package("print('Welcome!'); " + ALIVE + "; gpus = ['H100']"))
    assert (check.works, check.found, gpus) == (True, "1.2", ["H100"])


def test_a_file_of_the_reader_is_not_the_framework(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("numpy.py").write_text("raise SystemExit('not NumPy')")
    assert _probe.probe(_probe.NUMPY)[0].works


@pytest.mark.parametrize(
    ("system", "machine", "absent"),
    [
        ("Linux", "x86_64", False),
        ("Darwin", "x86_64", False),
        ("Darwin", "arm64", True),
        ("Linux", "aarch64", True),
        ("Windows", "AMD64", True),
    ],
)
def test_mxnet_is_absent_where_it_has_no_wheel(monkeypatch, system, machine, absent):
    monkeypatch.setattr(_probe, "find_spec", lambda name: None)
    monkeypatch.setattr(_probe.platform, "system", lambda: system)
    monkeypatch.setattr(_probe.platform, "machine", lambda: machine)
    reason = _probe.mxnet_absent_reason()
    assert (reason is not None) == absent
    if reason:
        assert f"has no wheel for {system} on {machine}" in reason
        assert "\n" not in reason


@pytest.mark.parametrize(("machine", "absent"), [("x86_64", True), ("arm64", False)])
@pytest.mark.parametrize("package", [_probe.PYTORCH, _probe.TENSORFLOW])
def test_the_others_are_absent_on_macs_of_intel(monkeypatch, package, machine, absent):
    monkeypatch.setattr(_probe, "find_spec", lambda name: None)
    monkeypatch.setattr(_probe.platform, "system", lambda: "Darwin")
    monkeypatch.setattr(_probe.platform, "machine", lambda: machine)
    assert bool(_probe.absent_reason(package)) == absent


def test_mxnet_built_by_hand_is_not_absent(monkeypatch):
    monkeypatch.setattr(_probe, "find_spec", lambda name: object())
    monkeypatch.setattr(_probe.platform, "system", lambda: "Windows")
    assert _probe.mxnet_absent_reason() is None
