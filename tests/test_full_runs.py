"""The full runs on the pages: all images, all epochs, the accuracy asked for, and what prose says of them."""

import itertools
import re
import statistics

import pytest
from committed import BOOK, code, mean_of_small, notebook, printed

from alexbook import bench

BACKENDS = BOOK.backends("training")


def record(backend, chapter):
    run = notebook("en", backend, chapter).metadata.bookweave.run
    assert run.profile == "full"
    return run


def rows(cell):
    """What a cell printed below its first line, word by word."""
    return [row.split() for row in printed(cell).splitlines()[1:]]


def accuracy(backend, chapter, cell):
    return re.search(r"test acc (0\.\d{3})", printed(code("en", backend, chapter)[cell]))[1]


@pytest.mark.parametrize("backend", BACKENDS)
def test_alexnet_reaches_0_88_within_a_point_in_ten_epochs_of_all_images(backend):
    run = record(backend, "training")
    assert (run.images, run.epochs, run.seed) == (600_000, 10, 0)
    assert abs(float(accuracy(backend, "training", "train")) - 0.88) <= 0.01


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_small_network_reaches_0_93_with_three_seeds(backend):
    assert record(backend, "small").seed == "0, 1, 2"
    assert mean_of_small(backend) >= 0.93


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_each_change_of_small_brings(backend):
    accuracies = [float(row[-1]) for row in rows(code("en", backend, "small")["table"])]
    falling, momentum, smooth, mirrored = (round(b - a, 3) for a, b in itertools.pairwise(accuracies))
    assert falling == {"mxnet": 0.007, "pytorch": 0.012, "tensorflow": 0.02}[backend]
    assert momentum == pytest.approx(0.015, abs=0.0025)
    assert abs(smooth) <= 0.003 and (smooth > 0) == (backend == "pytorch")
    assert -0.005 <= mirrored <= 0
    times = re.findall(r"([\d.]+) minutes", printed(code("en", backend, "small")["result"]))
    assert all(1 <= float(minutes) <= 3 for minutes in times)


def seconds(backend):
    """Of a median epoch of LeNet, and of a mean one of AlexNet."""
    epochs = rows(code("en", backend, "lenet")["by-hand"])
    lenet = statistics.median(float(row[-1]) for row in epochs if row[0].isdigit())
    alexnet = record(backend, "training")
    return f"{lenet:.1f}", f"{alexnet.seconds / alexnet.epochs:.0f}"


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_full_training_makes_of_the_layers(backend):
    """What the chapter on representations says of it, in every tab."""
    record(backend, "representation")
    cells = code("en", backend, "representation")
    start, change = map(float, re.search(r"visible part +(\S+) +(\S+)", printed(cells["moved"])).groups())
    assert 1.5 < change / start < 2
    (map_,) = (output.data["image/svg+xml"] for output in cells["map"].outputs if "data" in output)
    before, after = (int(re.search(rf"<!-- hidden, {when} \((\d+)%\)", map_)[1]) for when in ("start", "trained"))
    assert after < 0.7 * before
    neighbours = {row[0]: [float(each) for each in row[2:]] for row in rows(cells["neighbours"])}
    fresh, trained = neighbours["hidden"]
    assert fresh < neighbours["pixels"][0] < trained == pytest.approx(5 / 6, abs=0.01)
    alike = {row[0]: float(row[2]) - float(row[1]) for row in rows(cells["agree"])[1:]}
    assert abs(alike["conv1"]) < 0.02 < alike["conv3"] < alike["conv5"]


@pytest.mark.parametrize("language", BOOK.languages)
def test_lenet_stands_beside_alexnet_as_both_were_measured(language):
    for backend in BACKENDS:
        record(backend, "lenet")
    accuracies = [
        [accuracy(backend, *place) for backend in BACKENDS] for place in (("lenet", "one-line"), ("training", "train"))
    ]
    prose = BOOK.prose(language, "training").read_text("utf-8")
    lines = re.findall(r"^\| (?:LeNet|AlexNet)[^|]*\|(.*)\|$", prose, re.MULTILINE)
    found = [[value.strip() for value in line.split("|")] for line in lines]
    assert found == [*accuracies, *(list(row) for row in zip(*map(seconds, BACKENDS), strict=True))]


def test_in_full_the_last_five_epochs_bring_lenet_and_alexnet_what_the_solutions_say():
    gained = {"lenet": [], "training": []}
    for backend, (chapter, cell) in itertools.product(BACKENDS, (("lenet", "by-hand"), ("training", "epochs"))):
        record(backend, chapter)
        tested = {int(row[0]): float(row[3]) for row in rows(code("en", backend, chapter)[cell]) if row[0].isdigit()}
        gained[chapter].append(tested[10] - tested[5])
    assert statistics.mean(gained["lenet"]) == pytest.approx(0.10, abs=0.005)
    assert all(round(100 * gain) in (2, 3) for gain in gained["training"])


def test_the_network_overtakes_hog_between_1_500_and_2_100_images():
    """What the chapter on data says of the full run."""
    record("pytorch", "data")
    cells = code("en", "pytorch", "data")
    lead = {  # CNN, HOG + SVM
        int(row[0].replace(",", "")): round(float(row[6]) - float(row[2]), 3) for row in rows(cells["table"])
    }
    assert set(lead) == {100, 300, 1000, 3000, 10_000, 30_000, 60_000}
    assert sorted(lead[n] for n in (10_000, 30_000)) == [0.005, 0.007]
    assert abs(lead[60_000]) < 0.003
    for line in printed(cells["crossing"]).splitlines():
        crossings = [int(each.replace(",", "")) for each in re.findall(r"[\d,]*\d{3}\b", line.partition("at:")[2])]
        assert [n for n in crossings if 1000 < n < 40_000] == [n for n in crossings if 1500 <= n <= 2100] != []
    foreseen = re.findall(r"foreseen (0\.\d+), measured (0\.\d+)", printed(cells["law"]))
    hog, cnn = (round(float(measured) - float(line), 3) for line, measured in foreseen)
    assert hog == 0.007 and cnn >= 2 * hog


def test_the_stopwatch_shows_what_speed_says_of_it():
    cells = code("en", "pytorch", "speed")
    limit = float(re.search(r"bfloat16 +(\d+) GFLOP/s", printed(cells["limit"]))[1])
    products = re.findall(r"(\w+) +(\d+) GFLOP/s, +(\d+)%", printed(cells["products"]))
    share = {name: int(speed) / limit for name, speed, _ in products}
    assert sum(int(percent) for *_, percent in products) == pytest.approx(70, abs=3)
    assert share["convolution"] == pytest.approx(1, abs=0.1)
    assert share["conv1"] == pytest.approx(0.1, abs=0.02) and share["mm"] < 0.5
    took = dict(re.findall(r"(\w+) +([\d.]+) ms", printed(cells["profile"])))
    assert 3 < float(took["conv1_backward"]) / float(took["conv1"]) < 4
    before, after = (int(speed) for speed in re.findall(r"(\d+) images/s", printed(cells["gain"])))
    eighth = next(int(percent) for name, _, percent in products if name == "conv1") / 100
    assert eighth == pytest.approx(1 / 8, abs=0.01)
    assert (1 - before / after) / eighth == pytest.approx(2 / 3, abs=0.1)


@pytest.mark.parametrize(("backend", "times"), [("tensorflow", ["1.4"]), ("mxnet", ["1.0", "1.1", "1.2"])])
def test_one_graph_is_faster_by_what_speed_says(backend, times):
    steps = printed(code("en", backend, "speed")["steps"])
    assert re.search(r"one graph .* (\d\.\d) times", steps)[1] in times


def prose(language, chapter):
    return " ".join(BOOK.prose(language, chapter).read_text("utf-8").split())


def measured(cell, framework="PyTorch"):
    """What a table of `make bench` says of a framework: the medians of d2l and ours, their ratio, and the share."""
    row = rf"(\w+) +{framework} +([\d,]+) \(.*?\) +([\d,]+) \(.*?\) +([\d.]+)x"
    found = re.findall(row, printed(cell))
    table = {name: [float(each.replace(",", "")) for each in values] for name, *values in found}
    return table, re.search(rf"{framework} +bf16: (\d+)%", printed(cell))[1]


def test_speed_compares_the_processor_and_the_gpu_as_make_bench_measured_them():
    cells = code("en", "pytorch", "speed")
    (cpu, cpu_share), (gpu, gpu_share) = (measured(cells[name]) for name in ("bench", "bench-gpu"))
    (step, epoch), (gpu_step, gpu_epoch) = ([table[name][2] for name in ("step", "epoch")] for table in (cpu, gpu))
    loader, gpu_loader = (round(table["loader"][2]) for table in (cpu, gpu))
    english, japanese = (prose(language, "speed") for language in ("en", "ja"))
    assert f"{gpu_step} times against {step} for PyTorch on the Xeon, and {gpu_epoch} against {epoch}." in english
    both = f"どちらも{step}倍" if step == epoch else f"それぞれ{step}倍と{epoch}倍"
    assert f"{both}、ここではそれぞれ{gpu_step}倍と{gpu_epoch}倍です。" in japanese
    assert f"{gpu_loader} times against {loader}." in english
    assert f"{loader}倍に対して、{gpu_loader}倍です。" in japanese
    assert f"falls from {cpu_share} % to {gpu_share} %." in english
    assert f"{cpu_share}% から {gpu_share}% に" in japanese
    clock, whole = f"{128 / gpu['step'][1] * 1000:.1f}", f"{469 * 128 / gpu['epoch'][1]:.1f}"
    assert f"By the clock a step takes {clock}." in english and f"時計では{clock}ミリ秒" in japanese
    assert f"through in {whole} seconds" in english and f"枚の画像が{whole}秒" in japanese
    loaded = f"{gpu['loader'][0] / cpu['loader'][0]:.1f}"
    assert f"gives {loaded} times as many images" in english and f"Xeon のときの{loaded}倍" in japanese
    assert gpu["step"][0] / cpu["step"][0] == pytest.approx(230, rel=0.05)
    assert 0.5 < gpu["epoch"][1] / gpu["step"][1] < 0.6  # "little more than half"


def test_speed_says_how_far_the_loader_is_ahead_in_tensorflow():
    table, _ = measured(code("en", "tensorflow", "speed")["bench"], "TensorFlow")
    *speeds, ratio = table["loader"]
    theirs, ours = (f"{128 / speed * 1000:.1f}" for speed in speeds)
    english, japanese = (prose(language, "speed") for language in ("en", "ja"))
    assert f"our loader is only {ratio} times as fast" in english and f"D2L の{ratio}倍の速さにとどまります" in japanese
    assert f"in {theirs} milliseconds. Ours takes {ours}." in english
    assert f"D2L のローダーは{theirs}ミリ秒で、この本のローダーは{ours}ミリ秒で" in japanese


@pytest.mark.parametrize(
    ("language", "lines"), [("en", ("loader", "step", "epoch")), ("ja", ("ローダー", "ステップ", "エポック"))]
)
def test_speed_shows_what_make_bench_measured_without_a_matrix_unit(language, lines):
    run, text = bench.results(bench.AMD_FILE), BOOK.prose(language, "speed").read_text("utf-8")
    for line, name in zip(lines, ("loader", "step", "epoch"), strict=True):
        medians = [[statistics.median(values) for values in codes.values()] for codes in run["values"][name].values()]
        times = "\N{MULTIPLICATION SIGN}"
        cells = (f"{theirs:,.0f} → {ours:,.0f} ({ours / theirs:.1f}{times})" for theirs, ours in medians)
        assert f"| {line} | {' | '.join(cells)} |\n" in text
    xeon = bench.results(bench.FILE)
    lead, lead_there = (
        f"{statistics.median(codes['alexbook']) / statistics.median(codes['d2l']):.1f}"
        for codes in (run["values"]["epoch"]["pytorch"], xeon["values"]["epoch"]["pytorch"])
    )
    assert (run["device"], run["date"]) == ("AMD EPYC, 2 cores", "2026-11-27")
    limit, limit_there = (statistics.median(each["values"]["limit"]["bf16"]) for each in (run, xeon))
    assert 1 / 7 < limit / limit_there < 1 / 6
    said = {
        "en": (
            "On an AMD EPYC, on 27 November 2026,",
            f"{lead} times as fast, not {lead_there}.",
            f"{limit:,.0f} GFLOP/s, less than a sixth",
        ),
        "ja": (
            "AMD EPYC で、2026年11月27日に測りました。",
            f"{lead_there}倍ではなく{lead}倍の速さ",
            f"{limit:,.0f} GFLOP/s で、Xeon の6分の1に",
        ),
    }
    assert all(each in prose(language, "speed") for each in said[language])
    percent = " %" if language == "en" else "%"
    assert f"| {' | '.join(f'{share:.0%}'[:-1] + percent for share in bench.shares(run).values())} |\n" in text


def test_on_the_gpu_the_products_run_at_the_share_that_speed_says_and_the_rest_takes_as_long():
    text = printed(code("en", "pytorch", "speed")["bench-gpu"])
    took = {kind: float(time) for time, kind in re.findall(r"([\d.]+) ms  (\w+)", text)}
    shortest = float(re.search(r"at the limit, ([\d.]+) ms in all", text)[1])
    limits = {kind: float(limit.replace(",", "")) for kind, limit in re.findall(r"(\w+) ([\d,]+) GFLOP/s", text)}
    assert round(limits["bf16"] / limits["fp32"]) == 13 and shortest == pytest.approx(1.1, abs=0.05)
    share = round(100 * shortest / took["convolutions"])
    assert f"run at {share} % of the limit" in prose("en", "speed")
    assert f"限界の {share}% の速さ" in prose("ja", "speed")
    assert "copies" in took
    rest = sum(took[kind] for kind in ("pooling", "biases", "ReLU", "update"))
    assert rest == pytest.approx(took["convolutions"], rel=0.05)
