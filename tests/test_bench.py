"""The committed speeds are whole, and what the page shows of them is computed from them."""

import json
import runpy
import statistics
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from alexbook import bench, data

SCRIPTS = Path(__file__).parents[1] / "scripts"
BACKENDS = ["mxnet", "pytorch", "tensorflow"]
MEASURES = ("loader", "step", "epoch")
RUN = {
    "date": "2026-01-01",
    "device": "a processor",
    "precision": dict.fromkeys(BACKENDS, "bf16"),
    "values": {
        **{key: {name: {"d2l": [10, 30, 20], "alexbook": [70, 50, 60]} for name in BACKENDS} for key in MEASURES},
        "limit": {"fp32": [500.0], "bf16": [1000.0]},
        "memory": {each: {"d2l": 3.0, "alexbook": 2.0} for each in BACKENDS},
    },
}


@pytest.mark.parametrize(
    ("file", "backends"), [(bench.FILE, BACKENDS), (bench.AMD_FILE, BACKENDS), (bench.GPU_FILE, ["pytorch"])]
)
def test_the_committed_run_is_whole(file, backends):
    run = bench.results(file)
    assert list(run["values"]["epoch"]) == backends
    for name in MEASURES:
        for codes in run["values"][name].values():
            assert set(codes) == {"d2l", "alexbook"}
            assert all(len(values) >= 5 and min(values) > 0 for values in codes.values())
    assert min(map(len, run["values"]["limit"].values())) >= 5
    assert {"date", "device", "python", "versions", "precision", "images", "batch size"} <= set(run)


def test_half_the_bits_cost_less_than_half_a_point():
    accuracies = bench.results(bench.GPU_FILE)["values"]["accuracy"]
    assert abs(accuracies["bf16"] - accuracies["fp32"]) < 0.005
    assert min(accuracies.values()) > 0.87


def test_the_table_has_medians_spreads_ratios_and_shares(capsys):
    bench.table(RUN)
    out = capsys.readouterr().out
    assert out.startswith("a processor, 2026-01-01; images/s: median (lowest to highest)\n")
    assert out.count(f"{'20 (10 to 30)':>26}{'60 (50 to 70)':>32}    3.0x\n") == 9
    share = 60 * (6 * 938_146_176 - 2 * 33_872_256) / 1e12
    assert f"TensorFlow bf16: {share:.0%} of that limit; peak 2.00 GB" in out


def test_a_run_on_a_gpu_tells_of_what_a_step_consists_and_what_half_the_bits_cost(capsys):
    values = {name: each for name, each in RUN["values"].items() if name != "memory"}
    operations = {"cudnn_convolution": 1.5, "addmm": 0.5, "max_pool2d_with_indices": 2.5, "dot": 0.125}
    accuracy = {"fp32": 0.88, "bf16": 0.8785}
    bench.table(RUN | {"batch size": 100, "values": values | {"operations": operations, "accuracy": accuracy}})
    out = capsys.readouterr().out
    assert "peak" not in out
    shortest = 100 * (6 * 938_146_176 - 2 * 33_872_256) / 1e9
    assert f"(at the limit, {shortest:.2f} ms in all):\n  2.50 ms  pooling\n" in out
    assert "pooling\n  2.00 ms  convolutions and products\n  0.12 ms  all else\n" in out
    assert out.endswith("test accuracy after ten epochs: fp32 0.8800, bf16 0.8785\n")


def test_the_chart_draws_every_measure_of_both():
    panels = bench.figure(RUN).axes
    assert [axes.get_title() for axes in panels] == ["loader, images/s", "step, images/s", "epoch, images/s"]
    for axes in panels:
        assert sorted(bar.get_width() for bar in axes.patches) == [20] * 3 + [60] * 3


def test_the_chart_is_the_same_to_the_byte(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    bench.chart(RUN)
    bench.chart(RUN)
    assert shown[0] == shown[1]
    assert set(shown[0]) == {"image/svg+xml", "text/plain"}
    assert "<svg" in shown[0]["image/svg+xml"]


@pytest.fixture
def subjects(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    import bench_subjects

    return bench_subjects


def test_the_bench_runs_the_real_code_of_both(subjects, tmp_path):
    subjects.write_images(tmp_path, 256, 64)
    for code in ("d2l", "alexbook"):
        spawn = get_context("spawn")
        arguments = ("pytorch", code, tmp_path, 256, 64)
        with ProcessPoolExecutor(1, mp_context=spawn, initializer=subjects.start, initargs=arguments) as pool:
            assert pool.submit(subjects.loader).result() > 0
            assert pool.submit(subjects.module).result() == f"{code}.torch"


def test_the_peak_of_memory_is_what_processes_hold_at_one_time(subjects, monkeypatch):
    code = "held = bytearray(200_000_000); print(flush=True); input()"

    def start():
        process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdout.readline()  # it holds them now
        return process

    def end(*processes):
        time.sleep(0.3)
        for process in processes:
            process.communicate(b"\n")

    def together():
        end(start(), start())

    def one_after_another():
        end(start())
        end(start())

    for epoch, expected in ((together, 0.4), (one_after_another, 0.2)):
        monkeypatch.setattr(subjects, "epoch", lambda: time.sleep(0.2))
        before = subjects.memory()
        monkeypatch.setattr(subjects, "epoch", epoch)
        assert subjects.memory() - before == pytest.approx(expected, abs=0.08)


def test_d2l_finds_the_first_real_images(subjects, tmp_path):
    subjects.write_images(tmp_path, 20, 10)
    from torchvision.datasets import FashionMNIST

    found = FashionMNIST(tmp_path / "data", train=False)
    images, labels = data.load("test")
    assert (found.data.numpy() == images[:10]).all()
    assert found.targets.tolist() == labels[:10].tolist()


def test_the_profiler_watches_all_steps_but_the_first_five(subjects):
    seen = []

    class Profiler:
        def start(self):
            seen.append("start")

        def stop(self):
            seen.append("stop")

    batches = subjects._Watched([np.ones(1)[None]] * 8, Profiler())
    next(iter(batches))  # the training loop looks at one before it trains
    assert seen == []
    for step, _ in enumerate(batches):
        seen.append(step)
    assert seen == [*range(5), "start", 5, 6, 7, "stop"]


@pytest.mark.parametrize("gpu", [False, True])
def test_the_bench_takes_every_value_it_was_asked_for(gpu, subjects, monkeypatch, tmp_path, capsys):
    """With subjects that answer at once."""
    script = runpy.run_path(str(SCRIPTS / "bench.py"))
    monkeypatch.setattr(subjects, "with_gpu", lambda: ["pytorch"] * gpu)
    answers = {"loader": 1.0, "step": 2.0, "epoch": 3.0, "limit": 4.0, "memory": 5.0, "accuracy": 0.9}
    answers["operations"] = {"mm": 0.5}
    answers["facts"] = {"device": "a processor", "precision": "fp32", "python": "3"}

    class Pool:
        def submit(self, function, *arguments):
            value = answers[function.__name__]
            return type("Future", (), {"result": lambda self: value})()

        def shutdown(self, *_):
            pass

        __enter__, __exit__ = (lambda self: self), shutdown

    names = script["main"].__globals__
    monkeypatch.setitem(names, "one_process", lambda *subject: Pool())
    monkeypatch.setattr(sys, "argv", ["bench.py", "--repeats", "2", "--output", str(tmp_path / "new" / "bench.json")])
    script["main"]()
    run = json.loads((tmp_path / "new" / "bench.json").read_text())
    assert run["values"]["step"]["pytorch"] == {"d2l": [2.0, 2.0], "alexbook": [2.0, 2.0]}
    assert list(run["values"]["step"]) == (["pytorch"] if gpu else subjects.installed())
    assert run["values"]["limit"] == {"fp32": [4.0, 4.0], "bf16": [4.0, 4.0]}
    assert run["values"].get("accuracy") == ({"fp32": 0.9, "bf16": 0.9} if gpu else None)
    assert run["values"].get("operations") == ({"mm": 0.5} if gpu else None)
    assert ("memory" in run["values"]) == (not gpu)
    assert run["images"] == dict(
        zip(MEASURES, (60_000, 25_600, 60_000) if gpu else (10_240, 1_280, 1_280), strict=True)
    )
    assert "a processor" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        monkeypatch.setattr(sys, "argv", ["bench.py", "--repeats", "0"])
        script["main"]()


def test_the_share_is_of_the_precision_of_the_training():
    shares = bench.shares(RUN | {"precision": dict.fromkeys(BACKENDS, "fp32")})
    assert shares["mxnet"] == pytest.approx(60 * bench.OPERATIONS / 500e9)
    assert np.allclose([*bench.shares(RUN).values()], statistics.median([50, 60, 70]) * bench.OPERATIONS / 1e12)
