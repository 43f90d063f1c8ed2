"""Profiles: which one, what it cuts, and what it says about it; and the record of what ran."""

import json
import platform
import subprocess
import sys

import pytest

from alexbook import _backend, data, profiles, provenance


@pytest.mark.parametrize(
    ("variable", "accelerator", "expected"),
    [
        ("", True, ("full", 60_000, 10_000, None)),
        ("", False, ("quick", 10_240, 2_048, 3)),
        ("full", False, ("full", 60_000, 10_000, None)),
        ("quick", True, ("quick", 10_240, 2_048, 3)),
        ("smoke", True, ("smoke", 256, 256, 1)),
    ],
)
def test_the_variable_chooses_and_else_the_accelerator(monkeypatch, variable, accelerator, expected):
    monkeypatch.setenv("ALEXBOOK_PROFILE", variable)
    assert profiles.current_profile(accelerator) == profiles.Profile(*expected)


def test_an_unset_variable_is_like_an_empty_one(monkeypatch):
    monkeypatch.delenv("ALEXBOOK_PROFILE", raising=False)
    assert [profiles.current_profile(gpu).name for gpu in (True, False)] == ["full", "quick"]


def test_an_unknown_profile_is_refused_with_the_choices(monkeypatch):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "fast")
    with pytest.raises(ValueError, match="must be one of full, quick, smoke, got 'fast'"):
        profiles.current_profile(False)


def test_what_is_cut_is_said_in_one_line(capsys):
    profiles.announce(profiles.PROFILES["quick"], train=60_000, test=10_000)
    assert capsys.readouterr().out == (
        "Profile quick: 10,240 of 60,000 training images, 2,048 of 10,000 test images (ALEXBOOK_PROFILE=full for all)\n"
    )


def test_cut_epochs_are_said_alone(capsys):
    profiles.announce(profiles.PROFILES["smoke"], epochs=10)
    assert capsys.readouterr().out == "Profile smoke: 1 of 10 epochs (ALEXBOOK_PROFILE=full for all)\n"


def test_nothing_is_said_where_nothing_is_cut(capsys):
    profiles.announce(profiles.PROFILES["full"], train=60_000, test=10_000, epochs=1_000)
    profiles.announce(profiles.PROFILES["quick"], train=2_000, test=1_000, epochs=3)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("name", "expected", "line"),
    [
        ("full", [1, 2, 3], ""),
        ("quick", [1, 2], "Profile quick: [1, 2] instead of [1, 2, 3] (ALEXBOOK_PROFILE=full for all)\n"),
        ("smoke", [1], "Profile smoke: [1] instead of [1, 2, 3] (ALEXBOOK_PROFILE=full for all)\n"),
    ],
)
def test_an_experiment_is_as_large_as_the_profile_allows_and_says_so(monkeypatch, capsys, name, expected, line):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setenv("ALEXBOOK_PROFILE", name)
    assert profiles.pick(full=[1, 2, 3], quick=[1, 2], smoke=[1]) == expected
    assert capsys.readouterr().out == line
    assert provenance.record()["profile"] == name


def test_an_experiment_after_a_loader_that_a_gpu_let_have_all_is_whole_too(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.delenv("ALEXBOOK_PROFILE", raising=False)
    assert profiles.pick(full=3, quick=2, smoke=1) == 2
    _backend.loaders(data.Batches, True, batch_size=64)
    assert profiles.pick(full=3, quick=2, smoke=1) == 3


def test_the_record_merges_facts_and_is_json(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})
    nothing = {"backend": None, "version": None, "python": platform.python_version(), "device": None}
    assert provenance.record() == nothing
    provenance.log(backend="pytorch", seconds=1.5)
    provenance.log(seconds=2.5, images=256)
    expected = nothing | {"backend": "pytorch", "seconds": 2.5, "images": 256}
    assert json.loads(json.dumps(provenance.record())) == expected


def test_trainings_are_summed_their_seeds_listed_and_a_continued_one_counts_once(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})

    def noted(checkpoint, **facts):
        provenance.log_training(checkpoint, **facts)
        return {name: value for name, value in provenance.record().items() if name in facts}

    noted("run.npz", seed=0, images=100, epochs=2, seconds=1.25, accuracy=0.8)
    one = {"seed": 0, "images": 150, "epochs": 3, "seconds": 2, "accuracy": 0.9}
    assert noted("run.npz", **one) == one
    for seed in 1, 1, 0:
        together = noted(None, seed=seed, images=10, epochs=1, seconds=0.5, accuracy=0.7)
    assert together == {"seed": "0, 1", "images": 180, "epochs": 6, "seconds": 3.5}


def test_a_record_is_a_copy(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})
    provenance.record()["seed"] = 1
    assert "seed" not in provenance.record()


def test_a_fact_that_json_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})
    with pytest.raises(TypeError, match=r"provenance.log\(seed=…\): expected a string, number, bool or None"):
        provenance.log(seed=[1])


def test_importing_alexbook_imports_no_framework():
    code = (
        "import sys, alexbook, alexbook.data, alexbook.doctor, alexbook.profiles, alexbook.provenance;"
        "print({'mxnet', 'torch', 'tensorflow', 'd2l'} & set(sys.modules), alexbook.__version__)"
    )
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("set() 0.1.0")
