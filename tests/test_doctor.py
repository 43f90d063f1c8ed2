"""`alexbook doctor`: every line, in health and in sickness, and its exit code."""

import os
import subprocess
import sys
from pathlib import Path

import data_fixtures
import pytest

from alexbook import _probe, doctor

alone = data_fixtures.alone

ALIVE = "import types; m = types.SimpleNamespace(__version__='1.2'); gpus = []"


def package(code=ALIVE, name="PyTorch", module="torch"):
    return _probe.Package(name, module, "torch torchvision", code)


FIRST = package(name="MXNet")
UV = f"uv pip install --python {sys.executable}"


@pytest.fixture(autouse=True)
def uv(monkeypatch):
    """A machine that has uv, and a Python without pip."""
    monkeypatch.setattr(_probe.shutil, "which", lambda name: name)
    monkeypatch.setattr(_probe, "distributions", lambda name: [])


@pytest.fixture
def healthy(monkeypatch):
    """A machine where everything works, and no framework has to be imported to know it."""
    monkeypatch.setattr(doctor, "FRAMEWORKS", (FIRST, *(package(name=name) for name in ("PyTorch", "TensorFlow"))))
    monkeypatch.setattr(doctor, "absent_reason", lambda package: None)
    monkeypatch.setattr(doctor, "version", {"d2l": "1.0.3"}.get)
    monkeypatch.setenv("ALEXBOOK_OFFLINE", "1")
    monkeypatch.setenv("ALEXBOOK_PROFILE", "")


def test_a_healthy_machine(healthy, capsys):
    assert doctor.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    marks = [(line[:6].rstrip(), line[7:18].rstrip()) for line in lines if not line.startswith("       fix")]
    assert marks == [
        ("[OK]", "Python"),
        ("[OK]", "alexbook"),
        ("[OK]", "NumPy"),
        ("[OK]", "MXNet"),
        ("[OK]", "PyTorch"),
        ("[OK]", "TensorFlow"),
        ("[ - ]", "GPU"),
        ("[OK]", "d2l"),
        ("[ - ]", "data"),  # the sample: this machine has no data and no network
        ("[OK]", "profile"),
    ]
    assert "[OK]   PyTorch    1.2" in lines
    assert "[ - ]  GPU        MXNet: none; PyTorch: none; TensorFlow: none" in lines


def test_one_failure_is_told_with_its_fix_and_the_exit_code(healthy, monkeypatch, capsys):
    sick = (package(name="MXNet"), package("import no_such_framework", "PyTorch", "no_such_framework"))
    monkeypatch.setattr(doctor, "FRAMEWORKS", sick)
    assert doctor.main(["doctor"]) == 1
    assert (
        "[FAIL] PyTorch    ModuleNotFoundError: No module named 'no_such_framework'\n"
        f"       fix: {UV} torch torchvision, "
        f"or {UV} --no-deps -r requirements/all.txt (in the book's folder; it installs everything)\n"
    ) in capsys.readouterr().out


def test_gpus_are_told_by_framework():
    check = doctor.check_gpu({"PyTorch": ["H100", "H100"], "MXNet": []})
    assert (check.works, check.found) == (True, "PyTorch: H100, H100; MXNet: none")
    assert doctor.check_gpu({}).found == "no framework to ask"


def test_the_profile_is_told_by_framework_where_only_some_see_a_gpu(healthy, monkeypatch, capsys):
    blind, seeing = package(name="MXNet"), package(ALIVE.replace("[]", "['H100']"))
    monkeypatch.setattr(doctor, "FRAMEWORKS", (blind, seeing))
    assert doctor.main(["doctor"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if " profile " in line]
    assert [(line.split()[2], line.split()[-1]) for line in lines] == [("quick:", "(MXNet)"), ("full:", "(PyTorch)")]


def test_an_absent_mxnet_is_no_failure_and_not_asked(healthy, monkeypatch, capsys):
    monkeypatch.setattr(doctor, "absent_reason", {FIRST: "no wheel here"}.get)
    assert doctor.main(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "[ - ]  MXNet      no wheel here\n" in out
    assert out.index("NumPy") < out.index("MXNet") < out.index("PyTorch")
    assert "GPU        PyTorch: none; TensorFlow: none" in out


@pytest.mark.parametrize(
    ("version", "works"), [((3, 10), False), ((3, 11), True), ((3, 13, 9), True), ((3, 14), False)]
)
def test_python(monkeypatch, version, works):
    monkeypatch.setattr(doctor.sys, "version_info", version)
    check = doctor.check_python()
    assert check.works == works
    assert bool(check.fix) != works


def test_alexbook_that_is_not_installed(monkeypatch):
    assert doctor.check_alexbook().works
    monkeypatch.setattr(doctor.alexbook, "__version__", "0+unknown")
    assert doctor.check_alexbook().fix.startswith(f"{UV} --reinstall --no-deps -e .")


def test_d2l(monkeypatch):
    monkeypatch.setattr(doctor, "version", lambda name: "0.17.6")
    assert doctor.check_d2l().found == "expected 1.0.3, got: 0.17.6"

    def lost(name):
        raise doctor.PackageNotFoundError(name)

    monkeypatch.setattr(doctor, "version", lost)
    check = doctor.check_d2l()
    assert (check.works, check.found) == (False, "expected 1.0.3, got: not installed")
    assert check.fix.startswith(f"{UV} --no-deps d2l==1.0.3")


def test_d2l_without_what_it_imports(monkeypatch):
    monkeypatch.setattr(doctor, "version", {"d2l": "1.0.3"}.get)
    assert doctor.check_d2l().works
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name in ("PIL", "pandas") else object())
    check = doctor.check_d2l()
    assert (check.works, check.found) == (False, "1.0.3, but without pillow, pandas, which it imports")
    assert check.fix.startswith(f"{UV} pillow pandas, or ")


GOOD_NUMPY = _probe.Check(True, "NumPy", "2.4")


@data_fixtures.needs_real
def test_all_the_data(monkeypatch):
    monkeypatch.setenv("ALEXBOOK_DATA", str(data_fixtures.DEBIAN))
    check = doctor.check_data(GOOD_NUMPY)
    assert check.works
    assert check.found == "folder named by ALEXBOOK_DATA: 60,000 training and 10,000 test images"


def test_only_the_sample(capsys):
    check = doctor.check_data(GOOD_NUMPY)
    assert check.works is None
    assert "2,000 training and 1,000 test images" in check.found
    assert "set ALEXBOOK_DATA" in check.fix
    assert capsys.readouterr().out == ""


def test_a_wrong_data_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("ALEXBOOK_DATA", str(tmp_path / "nowhere"))
    check = doctor.check_data(GOOD_NUMPY)
    assert (check.works, check.fix) == (False, "unset ALEXBOOK_DATA, or correct it")
    assert "no such folder" in check.found


def test_the_data_without_pooch_or_numpy(monkeypatch):
    monkeypatch.setitem(sys.modules, "alexbook.data", None)
    monkeypatch.delattr(doctor.alexbook, "data", raising=False)
    check = doctor.check_data(GOOD_NUMPY)
    assert not check.works
    assert check.fix.startswith(f"{UV} --no-deps -r requirements/all.txt")
    assert not doctor.check_data(_probe.Check(False, "NumPy", "gone", "fix it")).works


def test_the_profile(monkeypatch):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "")
    assert doctor.check_profile(True).found == "full: up to 60,000 training images, all epochs"
    assert doctor.check_profile(False).found == "quick: up to 10,240 training images, at most 3 epoch(s)"
    monkeypatch.setenv("ALEXBOOK_PROFILE", "fast")
    check = doctor.check_profile(False)
    assert (check.works, check.fix) == (False, "unset ALEXBOOK_PROFILE, or correct it")


def alexbook(*arguments):
    command = Path(sys.executable).with_name("alexbook")
    environment = os.environ | {"ALEXBOOK_OFFLINE": "1"}
    return subprocess.run([command, *arguments], capture_output=True, text=True, env=environment)


def test_the_real_machine():
    run = alexbook("doctor")
    assert run.stderr == ""
    marks = [line[:6].rstrip() for line in run.stdout.splitlines() if not line.startswith("       fix: ")]
    assert len(marks) == 10
    assert set(marks) <= {"[OK]", "[FAIL]", "[ - ]"}
    assert run.returncode == ("[FAIL]" in marks)


def test_help_teaches():
    run = alexbook("--help")
    assert run.returncode == 0
    for word in ("doctor", "ALEXBOOK_PROFILE", "ALEXBOOK_DATA", "ALEXBOOK_OFFLINE", "ALEXBOOK_LANGUAGE", "exit status"):
        assert word in run.stdout
    assert alexbook("--version").stdout == f"{doctor.alexbook.__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("cure",), ("doctor", "now")])
def test_what_is_not_understood_exits_with_2(arguments):
    run = alexbook(*arguments)
    assert run.returncode == 2
    assert "usage: alexbook" in run.stderr
