"""`train_ch6` in three frameworks: it learns, tells, repeats, stops and goes on."""

import inspect
import io
import itertools
import json
import re
import sys
from pathlib import Path

import backend_fixtures
import data_fixtures
import nbformat
import numpy as np
import pytest
from backend_fixtures import Interrupted, patterns, present
from nbclient import NotebookClient

from alexbook import _display, provenance, training
from alexbook._cpu import has_avx512
from alexbook._probe import mxnet_absent_reason

alone, backend = data_fixtures.alone, backend_fixtures.backend

WORDS = ("flatten", "dense 24", "norm", "relu", "dropout 0.2", "dense 10")  # random while training, and with a memory
LAST_LINES = r"loss \d+\.\d{3}, train acc [01]\.\d{3}, test acc [01]\.\d{3}\n\d+\.\d examples/sec on %s\n"


@pytest.fixture(autouse=True)
def full(monkeypatch):
    """As many epochs as are asked for, on a CPU too."""
    monkeypatch.setenv("ALEXBOOK_PROFILE", "full")


def problem(backend):
    """Training and test batches, the last of them smaller."""
    return backend.batches(*patterns(), 20), backend.batches(*patterns(count=30, seed=1), 20)


def train(backend, net=None, batches=None, epochs=2, lr=0.2, **options):
    """A short training on the CPU."""
    train_iter, test_iter = problem(backend)
    net = backend.network(*WORDS) if net is None else net
    options = {"precision": "fp32"} | options  # what auto chooses depends on the machine
    try:
        return backend.d2l.train_ch6(net, batches or train_iter, test_iter, epochs, lr, backend.cpu, **options)
    except KeyboardInterrupt:  # it would end all tests
        pytest.fail("Ctrl-C came through")


def values(history):
    """All of a history but the times."""
    return history.train_loss, history.train_acc, history.test_acc, history.images


def assert_same(backend, net, other):
    for one, two in zip(backend.state(net), backend.state(other), strict=True):
        assert (one == two).all()


def test_it_learns_and_ends_with_the_two_lines_of_d2l(backend, capfd):
    history = train(backend, backend.network("flatten", "dense 24", "relu", "dense 10"), epochs=6)
    assert history.train_loss[-1] < 0.7 * history.train_loss[0]
    assert history.test_acc[-1] > 0.8
    assert [len(each) for each in (*values(history)[:3], history.seconds)] == [6] * 4
    assert (len(history), history.images, history.seed, history.profile) == (6, 96, 0, "full")
    out, err = capfd.readouterr()
    assert re.fullmatch(LAST_LINES % re.escape(str(backend.cpu)), out)
    loss, train_acc, test_acc, speed = map(float, re.findall(r"\d+\.\d+", out))
    last = (history.train_loss[-1], history.train_acc[-1], history.test_acc[-1], 6 * 96 / sum(history.seconds))
    assert (loss, train_acc, test_acc) == pytest.approx(last[:3], abs=0.0005)
    assert speed == pytest.approx(last[3], abs=0.05)
    assert err == ""  # no progress bar where stderr is a file


def test_the_steps_are_plain_gradient_descent(backend):
    """By hand: the mean cross-entropy of softmax(X·W + b) and its gradient, from where the same seed starts."""
    images, labels = patterns(count=50)
    batches = backend.batches(images, labels, 50)
    start = train(backend, backend.network("flatten", "dense 10"), Interrupted(batches, 0), seed=3)
    history = train(backend, backend.network("flatten", "dense 10"), batches, seed=3)
    X, one_hot = images.reshape(50, -1).astype(float), np.eye(10)[labels]
    ((weight, bias),) = backend.kernels(start.net)
    for epoch in range(2):  # of one step each
        scores = np.exp(X @ weight + bias)
        shares = scores / scores.sum(1, keepdims=True)
        assert history.train_loss[epoch] == pytest.approx(-np.log(shares[np.arange(50), labels]).mean(), abs=1e-5)
        assert history.train_acc[epoch] == (shares.argmax(1) == labels).mean()
        error = (shares - one_hot) / 50
        weight, bias = weight - 0.2 * X.T @ error, bias - 0.2 * error.sum(0)
    ((after, bias_after),) = backend.kernels(history.net)
    assert np.abs(after - weight).max() < 1e-5
    assert np.abs(bias_after - bias).max() < 1e-5


@pytest.mark.parametrize(
    "recipe",
    [
        dict(momentum=0.9),
        dict(label_smoothing=0.1),
        dict(warmup=0.5),
        dict(warmup=0),
        dict(momentum=0.9, warmup=0.5, label_smoothing=0.1),
    ],
    ids=str,
)
def test_the_steps_are_those_of_the_recipe(backend, recipe):
    """By hand, as above: the rate of each step, the targets, and what is kept of the step before."""
    images, labels = patterns(count=50)
    batches = backend.batches(images, labels, 50)
    start = train(backend, backend.network("flatten", "dense 10"), Interrupted(batches, 0), seed=3)
    options = {"epochs": 4, "seed": 3, "recipe": training.Recipe(**recipe)}
    history = train(backend, backend.network("flatten", "dense 10"), batches, **options)
    smoothing = recipe.get("label_smoothing", 0)
    X, targets = images.reshape(50, -1).astype(float), np.eye(10)[labels] * (1 - smoothing) + smoothing / 10
    rates = {None: [0.2] * 4, 0.5: [0, 0.1, 0.2, 0.1], 0: [0.2, 0.15, 0.1, 0.05]}[recipe.get("warmup")]
    ((weight, bias),) = backend.kernels(start.net)
    moved = [np.zeros_like(weight), np.zeros_like(bias)]
    for epoch, rate in enumerate(rates):  # of one step each
        scores = np.exp(X @ weight + bias)
        shares = scores / scores.sum(1, keepdims=True)
        assert history.train_loss[epoch] == pytest.approx(-(targets * np.log(shares)).sum(1).mean(), abs=1e-5)
        error = (shares - targets) / 50
        # PyTorch keeps the sum of gradients, the others that of steps.
        inside, outside = (1, rate) if backend.name == "pytorch" else (rate, 1)
        for place, gradient in enumerate((X.T @ error, error.sum(0))):
            moved[place] = recipe.get("momentum", 0) * moved[place] + inside * gradient
        weight, bias = weight - outside * moved[0], bias - outside * moved[1]
    ((after, bias_after),) = backend.kernels(history.net)
    assert np.abs(after - weight).max() < 1e-5
    assert np.abs(bias_after - bias).max() < 1e-5


def test_the_rate_changes_with_every_step(backend, monkeypatch):
    rates, kind = [], backend.d2l._Learner
    monkeypatch.setattr(kind, "set_rate", lambda self, lr: rates.append(lr))
    train(backend, recipe=training.Recipe(warmup=0.5))  # two epochs of five steps
    assert rates == pytest.approx([0, 0.04, 0.08, 0.12, 0.16, 0.2, 0.16, 0.12, 0.08, 0.04])


@pytest.mark.parametrize("value", [-0.1, 1, 1.5, np.nan, "0.9"])
@pytest.mark.parametrize("name", ["momentum", "warmup", "label_smoothing"])
def test_a_recipe_that_cannot_be(name, value):
    with pytest.raises(ValueError, match=f"^{name} must be a number from 0 to less than 1, got {value!r}$"):
        training.Recipe(**{name: value})


def test_what_is_no_recipe(backend):
    with pytest.raises(TypeError, match=r"^recipe must be a Recipe, such as Recipe\(momentum=0.9\), got 0.9$"):
        train(backend, recipe=0.9)


def test_the_images_held_out_are_named(backend, capsys):
    loaders = backend.d2l.load_data_fashion_mnist(500, held_out=0.1)
    history = backend.d2l.train_ch6(backend.network("flatten", "dense 10"), *loaders, 1, 0.1, backend.cpu)
    assert history.tested_on == "validation"
    assert f", validation acc {history.test_acc[0]:.3f}\n" in capsys.readouterr().out


def test_the_test_accuracy_is_that_of_the_network_that_is_returned(backend):
    history = train(backend, backend.network("flatten", "dense 10"), epochs=1)
    images, labels = patterns(count=30, seed=1)
    ((weight, bias),) = backend.kernels(history.net)
    assert history.test_acc[-1] == ((images.reshape(30, -1) @ weight + bias).argmax(1) == labels).mean()


def test_a_seed_decides_everything(backend):
    net = backend.network(*WORDS)
    first = values(train(backend, net))
    assert values(train(backend, net, seed=1)) != first
    assert values(train(backend, net)) == first  # the same network, from fresh weights again


def test_a_seed_decides_the_order_of_our_batches(backend, tmp_path):
    net, loaders = backend.network("flatten", "dense 10"), backend.d2l.load_data_fashion_mnist(500)

    def run(epochs, checkpoint=None):
        return backend.d2l.train_ch6(net, *loaders, epochs, 0.1, backend.cpu, seed=2, checkpoint=checkpoint)

    first = values(run(2))
    assert (loaders[0].seed, loaders[0].epoch) == (2, 2)
    run(1, tmp_path / "run.npz")
    next(iter(loaders[0]))  # whatever was done with the loader in between
    assert values(run(2, tmp_path / "run.npz")) == first


def test_ctrl_c_keeps_the_network_and_says_how_to_go_on(backend, capsys):
    batches, _ = problem(backend)
    history = train(backend, batches=Interrupted(batches, 7), epochs=3)
    assert (len(history), len(history.train_loss), history.images) == (1, 1, 96)
    out = capsys.readouterr().out
    said = (
        'epochs and 2 of 5 steps; the network keeps its weights. To continue: train_ch6 starts anew; with checkpoint="'
    )
    assert out.startswith(f"Stopped after 1 of 3 {said}")
    assert re.search("\n" + LAST_LINES % re.escape(str(backend.cpu)), out)
    unbroken = train(backend, epochs=1)
    assert values(history) == values(unbroken)
    assert any((a != b).any() for a, b in zip(backend.state(history.net), backend.state(unbroken.net), strict=True))


def test_ctrl_c_in_the_first_epoch_has_no_result_to_print(backend, capsys):
    batches, _ = problem(backend)
    history = train(backend, batches=Interrupted(batches, 2), checkpoint="run.npz")
    assert (len(history), history.test_acc) == (0, [])
    said = "the network keeps its weights. To continue: the same call starts anew, as no epoch was complete."
    assert capsys.readouterr().out == f"Stopped after 0 of 2 epochs and 2 of 5 steps; {said}\n"
    assert not Path("run.npz").exists()


@pytest.mark.parametrize("recipe", [training.PLAIN, training.Recipe(0.9, 0.3, 0.1)], ids=["plain", "recipe"])
def test_a_resumed_run_ends_where_an_unbroken_one_does(backend, tmp_path, capsys, recipe):
    file = tmp_path / "new folder" / "run.npz"
    batches, _ = problem(backend)
    stopped = train(backend, batches=Interrupted(batches, 7), epochs=3, checkpoint=file, recipe=recipe)
    assert f"To continue: the same call goes on from the last epoch in {file}." in capsys.readouterr().out
    resumed = train(backend, epochs=3, checkpoint=str(file), recipe=recipe)
    unbroken = train(backend, epochs=3, recipe=recipe)
    assert values(resumed) == values(unbroken)
    assert resumed.seconds[0] == stopped.seconds[0]
    assert_same(backend, resumed.net, unbroken.net)
    assert [path.name for path in file.parent.iterdir()] == ["run.npz"]


def test_a_finished_run_comes_back_from_its_checkpoint(backend, tmp_path, capsys):
    file = tmp_path / "run.npz"
    first = train(backend, checkpoint=file)
    again = train(backend, checkpoint=file)
    assert again == first
    assert_same(backend, again.net, first.net)
    out = capsys.readouterr().out
    assert out[: len(out) // 2] == out[len(out) // 2 :]


OTHERS = {
    "seed": (dict(seed=1), r"seed 0 \(now 1\)"),
    "lr": (dict(lr=0.1), r"lr 0.2 \(now 0.1\)"),
    "precision": (dict(precision="bf16"), r"precision fp32 \(now bf16\)"),
    "recipe": (dict(recipe=training.Recipe(0.9)), r"momentum 0.0 \(now 0.9\)"),
    "network": (dict(net=("flatten", "dense 10")), r"weights .*, and \d+ more"),
    "shape": (dict(net=("flatten", "dense 23", *WORDS[2:])), r"weights .*24.*\(now .*23.*"),
    "layer": (dict(net=(*WORDS[:4], "dropout 0.3", WORDS[5])), r"layer \d .*0\.2.* \(now .*0\.3"),
    "batches": (dict(batches=3), r"batches per epoch 5 \(now 3\)"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_the_checkpoint_of_another_run_is_refused(backend, tmp_path, other, any_processor):
    file = tmp_path / "run.npz"
    train(backend, epochs=1, checkpoint=file)
    before = file.read_bytes()
    options, difference = dict(OTHERS[other][0]), OTHERS[other][1]
    if "net" in options:
        options["net"] = backend.network(*options["net"])
    if "batches" in options:
        options["batches"] = problem(backend)[0][: options["batches"]]
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}: the checkpoint of another run: .*{difference}"):
        train(backend, checkpoint=file, **options)
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["mxnet", "pytorch"])  # TensorFlow builds another network
def test_a_refused_checkpoint_leaves_the_network_as_it_was(name, tmp_path):
    if (backend := present().get(name)) is None:
        pytest.skip(mxnet_absent_reason())
    net = train(backend, epochs=1, checkpoint=tmp_path / "run.npz").net
    before = [array.copy() for array in backend.state(net)]
    if name == "pytorch":
        net.train()
    for options in ({"seed": 1}, {"batches": Unsized(problem(backend)[0])}):
        with pytest.raises((ValueError, TypeError)):
            train(backend, net, checkpoint=tmp_path / "run.npz", **options)
        assert all(map(np.array_equal, backend.state(net), before))
        assert name != "pytorch" or net.training


def test_the_checkpoint_of_another_network_leaves_a_trained_one_as_it_was(backend, tmp_path):
    train(backend, epochs=1, checkpoint=tmp_path / "run.npz")
    net = train(backend, backend.network("flatten", "dense 24", "relu", "dense 10"), epochs=1).net
    before = [array.copy() for array in backend.state(net)]
    with pytest.raises(ValueError, match="the checkpoint of another run: layer "):
        train(backend, (lambda: net) if backend.name == "tensorflow" else net, checkpoint=tmp_path / "run.npz")
    assert all(map(np.array_equal, backend.state(net), before))


class Unsized:
    """Batches of which nobody knows how many they are, as of a dataset that is a stream."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


def test_batches_without_a_number_are_refused(backend):
    with pytest.raises(TypeError, match="train_iter must know how many batches it has"):
        train(backend, batches=Unsized(problem(backend)[0]))


def test_after_an_interruption_pytorch_s_network_answers_as_in_use():
    torch = present()["pytorch"]
    net = torch.network("flatten", "dense 24", "relu", "dropout 0.5", "dense 10")
    train(torch, net, batches=Interrupted(problem(torch)[0], 2))
    assert not any(layer.training for layer in net.modules())


@pytest.fixture
def any_processor(monkeypatch):
    """MXNet would refuse bfloat16 where there is no AVX-512."""
    if "mxnet" in present():
        monkeypatch.setattr(present()["mxnet"].d2l, "has_avx512", lambda: True)


def test_a_rate_that_falls_depends_on_the_number_of_epochs(tmp_path):
    file, recipe = tmp_path / "run.npz", training.Recipe(warmup=0.5)
    train(present()["pytorch"], epochs=1, checkpoint=file, recipe=recipe)
    with pytest.raises(ValueError, match=r"another run: epochs 1 \(now 2\)"):
        train(present()["pytorch"], epochs=2, checkpoint=file, recipe=recipe)


@pytest.mark.parametrize(
    ("option", "difference"),
    [
        ({"mirror": True}, r"mirror False \(now True\)"),
        ({"shift": 1}, r"shift 0 \(now 1\)"),
        ({"held_out": 0.1}, r"held_out 0\.0 \(now 0\.1\)"),
        ({"images": (255, 256)}, r"images 256 \(now 255\)"),
        ({"resize": 27}, r"size 28 \(now 27\)"),
    ],
)
def test_a_checkpoint_knows_the_images_it_was_trained_on(tmp_path, monkeypatch, option, difference):
    """As many batches, whichever images they hold."""
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    d2l, file = present()["pytorch"].d2l, tmp_path / "run.npz"
    net = present()["pytorch"].network("conv 2 2", "pool 2 2", "flatten", "dense 10")
    d2l.train_ch6(net, *d2l.load_data_fashion_mnist(64), 1, 0.1, "cpu", checkpoint=file)
    with pytest.raises(ValueError, match=f"another run: .*{difference}"):
        d2l.train_ch6(net, *d2l.load_data_fashion_mnist(64, **option), 1, 0.1, "cpu", checkpoint=file)


def test_a_checkpoint_keeps_the_last_epochs_that_it_holds(tmp_path):
    """Fewer were asked for: it has no weights of that epoch."""
    file = tmp_path / "run.npz"
    train(present()["pytorch"], epochs=2, checkpoint=file)
    before = file.read_bytes()
    with pytest.raises(ValueError, match=f"^{re.escape(str(file))}: holds 2 epochs, more than the 1 asked for"):
        train(present()["pytorch"], epochs=1, checkpoint=file)
    assert file.read_bytes() == before


def test_a_checkpoint_holds_more_epochs_than_the_profile_allows(tmp_path, monkeypatch):
    file = tmp_path / "run.npz"
    train(present()["pytorch"], epochs=4, checkpoint=file)
    monkeypatch.setenv("ALEXBOOK_PROFILE", "quick")
    with pytest.raises(ValueError, match=r"holds 4 epochs, more than the 3 that the profile quick allows.*=full"):
        train(present()["pytorch"], epochs=4, checkpoint=file)


def test_ctrl_c_while_a_checkpoint_is_saved_promises_no_file(tmp_path, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", interrupt)
    train(present()["pytorch"], checkpoint=tmp_path / "run.npz")
    assert "1 of 2 epochs" in (said := capsys.readouterr().out)
    assert "the same call starts anew" in said


def test_a_checkpoint_may_lie_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))  # where Windows looks
    train(present()["pytorch"], epochs=1, checkpoint="~/run.npz")
    assert (tmp_path / "run.npz").exists()


def test_a_resumed_training_is_recorded_once(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "_trainings", {})
    torch, file = present()["pytorch"], tmp_path / "run.npz"
    train(torch, batches=Interrupted(problem(torch)[0], 7), epochs=3, checkpoint=file)
    train(torch, epochs=3, checkpoint=file)
    assert {name: provenance.record()[name] for name in ("epochs", "images")} == {"epochs": 3, "images": 3 * 96}


@pytest.mark.parametrize("name", ["pytorch", "tensorflow"])
def test_a_label_that_the_network_has_no_answer_for_is_refused(name):
    """MXNet takes the last answer that there is, and does in d2l, too."""
    backend = present()[name]
    with pytest.raises(Exception, match=r"(?i)out of bounds|outside the valid range"):
        train(backend, backend.network("flatten", "dense 9"))


def test_the_checkpoint_of_another_backend_is_refused(tmp_path):
    file = tmp_path / "run.npz"
    train(present()["pytorch"], epochs=1, checkpoint=file)
    with pytest.raises(ValueError, match=r"another run: backend pytorch \(now tensorflow\)"):
        train(present()["tensorflow"], checkpoint=file)


def no_numbers(content):
    np.savez(file := io.BytesIO(), weight=np.zeros(3))
    return file.getvalue()


def another_version(content):
    with np.load(io.BytesIO(content)) as old:
        arrays = {name: old[name] for name in old.files}
    arrays["meta.json"] = np.array(json.dumps({"run": {}, "history": {}}))
    np.savez(file := io.BytesIO(), **arrays)
    return file.getvalue()


DAMAGES = {
    "empty": lambda content: b"",
    "a web page": lambda content: b"<!DOCTYPE html>",
    "truncated": lambda content: content[:-100],
    "a bit flipped": lambda content: content[:900] + bytes([content[900] ^ 1]) + content[901:],
    "something else": no_numbers,
    "another version": another_version,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_named_and_left_as_it_is(tmp_path, damage):
    file = tmp_path / "run.npz"
    train(present()["pytorch"], epochs=1, checkpoint=file)
    file.write_bytes(DAMAGES[damage](file.read_bytes()))
    before = file.read_bytes()
    message = f"^{re.escape(str(file))}: not a whole checkpoint .* It was left as it is: move it away"
    with pytest.raises(ValueError, match=message):
        train(present()["pytorch"], checkpoint=file)
    assert file.read_bytes() == before


def test_all_runs_of_a_process_are_kept_where_the_environment_says(backend, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ALEXBOOK_CHECKPOINTS", str(tmp_path / "new"))
    monkeypatch.setattr(training, "_calls", itertools.count(1))
    batches, _ = problem(backend)
    train(backend, batches=Interrupted(batches, 7), epochs=3)
    file = tmp_path / "new" / f"{backend.name}-1.npz"
    assert f"the same call goes on from the last epoch in {file}." in capsys.readouterr().out
    train(backend, seed=1)  # another call, another file
    assert sorted(path.name for path in file.parent.iterdir()) == [file.name, f"{backend.name}-2.npz"]
    monkeypatch.setattr(training, "_calls", itertools.count(1))  # the next process
    resumed = train(backend, epochs=3)
    monkeypatch.delenv("ALEXBOOK_CHECKPOINTS")
    assert values(resumed) == values(train(backend, epochs=3))


def test_a_crash_while_saving_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    file = tmp_path / "run.npz"
    train(present()["pytorch"], epochs=1, checkpoint=file)
    before = file.read_bytes()

    def crash(opened, **arrays):
        opened.write(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(np, "savez", crash)
    with pytest.raises(OSError, match="no space left"):
        train(present()["pytorch"], checkpoint=file)
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["run.npz"]
    assert file.read_bytes() == before


def test_a_loss_that_explodes_stops_with_the_epoch_and_the_learning_rate(backend):
    message = r"the loss became (nan|inf) in epoch 1, between steps (\d) and \2 of 5, with lr = 1e\+30. Try .* 1e\+29"
    with pytest.raises(FloatingPointError, match=message):
        train(backend, backend.network("flatten", "dense 24", "relu", "dense 10"), lr=1e30)


def test_inputs_that_are_no_numbers_are_suspected(backend):
    images, labels = patterns()
    net, batches = backend.network("flatten", "dense 10"), backend.batches(np.full_like(images, np.nan), labels, 20)
    with pytest.raises(
        FloatingPointError, match=r"nan in epoch 1, between steps 1 and 1 of 5.*look for inputs that are"
    ):
        train(backend, net, batches)


class Spoilt(list):
    """Batches, and in the second epoch no numbers."""

    epoch = -1  # train_ch6 looks at one before it trains

    def __iter__(self):
        self.epoch += 1
        return ((X * np.nan if self.epoch == 2 else X, y) for X, y in super().__iter__())


def test_a_loss_gone_wrong_leaves_the_last_good_checkpoint(tmp_path):
    file, torch = tmp_path / "run.npz", present()["pytorch"]
    with pytest.raises(FloatingPointError, match="in epoch 2"):
        train(torch, batches=Spoilt(problem(torch)[0]), checkpoint=file)
    assert values(train(torch, checkpoint=file)) == values(train(torch))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("seed", 2**31, "seed must be less than 2**31, which is as far as MXNet counts"),
        *(("epochs", value, "num_epochs must be a whole number of at least 1") for value in (0, -1, 1.5, "3", None)),
        *(("seed", value, "seed must be a whole number of at least 0") for value in (-1, 1.5, "0", None)),
        *(("precision", value, "precision must be one of auto, fp32, bf16") for value in ("fp16", "", None, 16)),
        *(("lr", value, "lr must be a finite number above 0") for value in (0, -0.1, np.nan, np.inf, "0.1", None)),
    ],
)
def test_a_number_that_cannot_be(backend, name, value, expected):
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}, got {re.escape(repr(value))}$"):
        train(backend, **{name: value})


def test_no_batches(backend):
    some, net = problem(backend)[0], backend.network(*WORDS)
    for name, iterators in (("train_iter", ([], some)), ("test_iter", (some, []))):
        with pytest.raises(ValueError, match=f"^{name} must give at least one batch"):
            backend.d2l.train_ch6(net, *iterators, 2, 0.2, backend.cpu)


def test_batches_that_can_be_taken_only_once(backend):
    some, net = problem(backend)[0], backend.network(*WORDS)
    for name, iterators in (("train_iter", (iter(some), some)), ("test_iter", (some, zip(some)))):
        with pytest.raises(TypeError, match=f"^{name} must give its batches anew in every epoch"):
            backend.d2l.train_ch6(net, *iterators, 2, 0.2, backend.cpu)


def test_a_checkpoint_that_cannot_be_written_is_told_before_the_training(backend, tmp_path):
    (tmp_path / "file").touch()
    never = Interrupted(problem(backend)[0], 0)  # its first step would end the training
    with pytest.raises(OSError, match=r"run\.npz: no checkpoint can be written there .* give another path"):
        train(backend, batches=never, checkpoint=tmp_path / "file" / "run.npz")


def test_numbers_of_numpy_are_numbers(backend):
    assert values(train(backend, epochs=np.int64(1), lr=np.float64(0.2), seed=np.int32(0))) == values(
        train(backend, epochs=1)
    )


def test_a_checkpoint_can_write_down_the_numbers_of_numpy(tmp_path, monkeypatch):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    d2l, net = present()["pytorch"].d2l, present()["pytorch"].network("flatten", "dense 10")
    options = {"resize": np.int64(28), "shift": np.int32(1), "held_out": np.float32(0.1)}
    d2l.train_ch6(
        net, *d2l.load_data_fashion_mnist(np.int64(64), **options), 1, 0.1, "cpu", checkpoint=tmp_path / "run.npz"
    )
    assert (tmp_path / "run.npz").exists()


def test_what_is_no_network_of_the_framework(backend):
    wanted = {
        "mxnet": "net must be a gluon Block",
        "pytorch": "net must be a torch.nn.Module",
        "tensorflow": "train_ch6 needs a function that returns it",
    }[backend.name]
    keras_model = present()["tensorflow"].network("dense 10")()
    others = [each.network("dense 10") for name, each in present().items() if name not in (backend.name, "tensorflow")]
    for net in (*others, keras_model, "net"):
        with pytest.raises(TypeError, match=wanted):
            train(backend, net)


@pytest.mark.parametrize("name", ["mxnet", "tensorflow"])
def test_what_is_no_device(name):
    backend = present()[name]
    with pytest.raises(TypeError, match=r"^device must be .*, got 3$"):
        backend.d2l.train_ch6(backend.network("flatten", "dense 10"), *problem(backend), 1, 0.1, 3)


def test_a_function_that_returns_no_keras_model():
    with pytest.raises(TypeError, match="the function net must return a Keras model, it returned 3"):
        train(present()["tensorflow"], lambda: 3)


def test_batch_normalization_follows_the_batches(backend):
    start = train(backend, batches=Interrupted(problem(backend)[0], 0))
    history = train(backend, epochs=1)
    pairs = zip(backend.state(start.net), backend.state(history.net), strict=True)
    changed = [(before != after).any() for before, after in pairs if before.shape == (24,)]
    assert sum(changed) >= 4  # scale, shift, running mean, running variance; the bias before them has no effect


def test_a_network_that_was_trained_before_starts_anew(backend):
    net = backend.network(*WORDS)
    train(backend, net, seed=1)
    assert_same(backend, train(backend, net).net, train(backend).net)


class Sized:
    """All that a loader has to be: iterable, again and again, and of a length."""

    def __init__(self, batches):
        self._batches = batches

    def __iter__(self):
        return iter(self._batches)

    def __len__(self):
        return len(self._batches)


def test_any_sized_iterable_gives_the_batches(backend):
    net, (batches, _) = backend.network("flatten", "dense 10"), problem(backend)
    ((X, y),) = backend.batches(*patterns(), 96)
    loader = backend.d2l.load_array((X, y), 20, is_train=False)  # the framework's own
    histories = [values(train(backend, net, each)) for each in (batches, Sized(batches), loader)]
    assert histories[0] == histories[1] == histories[2]


class Longer(Sized):
    """Knows its length, and gives batches beyond it; counts in numbers of NumPy."""

    batch_size = np.int64(20)

    def __iter__(self):
        return iter(self._batches * 3)


def test_no_more_batches_are_taken_than_there_are(tmp_path):
    torch = present()["pytorch"]
    batches, _ = problem(torch)
    expected = train(torch, batches=batches)
    found = [train(torch, batches=Longer(batches), checkpoint=tmp_path / "run.npz") for _ in range(2)]
    assert [values(each) for each in found] == [values(expected)] * 2


class Endless:
    """Takes its batches from wherever it is asked, beyond its length too: a slice knows no end."""

    def __init__(self, batches):
        self._batches = batches

    def __getitem__(self, number):
        return self._batches[number % len(self._batches)]

    def __len__(self):
        return len(self._batches)


def test_no_more_batches_are_tested_than_there_are(monkeypatch):
    torch, tested = present()["pytorch"], []
    batches, test = problem(torch)

    def evaluate(_, X, y):
        tested.append(len(y))
        assert len(tested) <= len(test)
        return 0

    monkeypatch.setattr(torch.d2l._Learner, "evaluate", evaluate)
    torch.d2l.train_ch6(torch.network(*WORDS), batches, Endless(test), 1, 0.2, torch.cpu)
    assert tested == [len(y) for _, y in test]


@pytest.mark.parametrize("name", ["mxnet", "tensorflow"])  # PyTorch refuses them
@pytest.mark.parametrize("smoothing", [0, 0.1])
def test_labels_may_stand_in_a_column(name, smoothing):
    backend = present().get(name) or pytest.skip(mxnet_absent_reason())
    (batches, test), recipe = problem(backend), training.Recipe(label_smoothing=smoothing)
    columns, test_columns = ([(X, y[:, None]) for X, y in each] for each in (batches, test))
    net, arguments = backend.network(*WORDS), (2, 0.2, backend.cpu)
    one, other = (
        backend.d2l.train_ch6(net, *each, *arguments, precision="fp32", recipe=recipe)
        for each in ((batches, test), (columns, test_columns))
    )
    assert values(one) == values(other)


def test_a_layer_of_which_only_the_counts_are_lazy_goes_on_from_its_checkpoint(tmp_path):
    torch = present()["pytorch"]
    nn = torch.d2l.nn
    for epochs in (1, 2):
        net = nn.Sequential(nn.Flatten(), nn.LazyBatchNorm1d(affine=False), nn.Linear(64, 10))
        history = train(torch, net, epochs=epochs, checkpoint=tmp_path / "run.npz")
        assert len(history) == epochs


def test_pytorch_asks_a_network_whose_weights_are_known_no_question_before_the_training():
    torch = present()["pytorch"]
    nn, asked = torch.d2l.nn, []
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    net.register_forward_pre_hook(lambda _, inputs: asked.append(len(inputs[0])))
    train(torch, net, epochs=1)
    assert asked[0] == 20


def test_batches_come_whatever_device_is_pytorch_s_default(monkeypatch):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    d2l = present()["pytorch"].d2l
    with d2l.torch.device("meta"):
        X, _ = next(iter(d2l.load_data_fashion_mnist(8)[0]))
    assert X.device == d2l.try_gpu()


def test_the_arguments_are_those_of_d2l(backend):
    module = backend.d2l.train_ch6.__module__.replace("alexbook", "d2l")
    for name in ("train_ch6", "load_data_fashion_mnist"):
        theirs = inspect.signature(getattr(sys.modules[module], name)).parameters
        ours = list(inspect.signature(getattr(backend.d2l, name)).parameters.values())
        assert [each.name for each in ours[: len(theirs)]] == list(theirs)
        assert all(each.kind is each.KEYWORD_ONLY for each in ours[len(theirs) :])


def test_in_bfloat16_the_weights_stay_in_float32(backend):
    if backend.name == "mxnet" and not has_avx512():
        with pytest.raises(ValueError, match=r'in MXNet, precision "bf16" needs .* AVX-512'):
            train(backend, precision="bf16")
        return
    net = backend.network("flatten", "dense 24", "relu", "dense 10")
    plain = train(backend, net, epochs=6)
    history = train(backend, net, epochs=6, precision="bf16")
    assert (plain.precision, history.precision) == ("fp32", "bf16")
    assert all(array.dtype == np.float32 for array in backend.state(history.net))
    assert history.train_loss != plain.train_loss  # the products were rounded,
    assert history.train_loss == pytest.approx(plain.train_loss, rel=0.02)  # and little else changed
    assert history.test_acc[-1] > 0.8


@pytest.mark.parametrize("native", [True, False])
def test_the_precision_is_what_the_processor_is_faster_in(backend, native, monkeypatch, any_processor):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})
    monkeypatch.setattr(backend.d2l, "is_faster_in_bf16", lambda: native)
    if native and backend.name == "mxnet" and not has_avx512():
        return
    expected = "bf16" if native else "fp32"
    assert train(backend, precision="auto").precision == expected
    assert provenance.record()["precision"] == expected


@pytest.mark.parametrize("device", ["/GPU:0", "/gpu:0"])
def test_a_gpu_is_not_judged_by_the_processor(monkeypatch, device):
    d2l = present()["tensorflow"].d2l
    monkeypatch.setattr(d2l._cpu, "has_bf16", lambda: True)
    monkeypatch.setattr(d2l, "_GPUS", [])  # none that could
    assert d2l.has_bf16("/CPU:0") and not d2l.has_bf16(device)


def test_each_gpu_is_judged_by_itself(monkeypatch):
    d2l = present()["tensorflow"].d2l
    monkeypatch.setattr(d2l, "_GPUS", ["new", "old"])
    details = {"new": {"compute_capability": (8, 0)}, "old": {"compute_capability": (7, 5)}}
    monkeypatch.setattr(d2l._tf.config.experimental, "get_device_details", details.get)
    assert [d2l.has_bf16(name) for name in ("/GPU:0", "/device:GPU:1", "/GPU:2", "GPU", None)] == [1, 0, 0, 1, 1]


def test_a_device_that_is_not_there_is_refused():
    tensorflow = present()["tensorflow"]
    batches = problem(tensorflow)[0]
    with pytest.raises(ValueError, match=r"device must be one of /device:CPU:0.*, got '/GPU:7'"):
        tensorflow.d2l.train_ch6(tensorflow.network("flatten", "dense 10"), batches, batches, 1, 0.1, "/GPU:7")


def test_the_record_is_of_the_framework_that_trained(monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})
    for name, backend in present().items():
        train(backend, epochs=1)
        package = sys.modules["torch" if name == "pytorch" else name]
        record = provenance.record()
        assert (record["backend"], record["version"]) == (name, package.__version__)


def test_a_function_of_keras_finds_the_policy_as_it_was():
    tensorflow = present()["tensorflow"]
    keras = tensorflow.d2l.tf.keras
    train(tensorflow, precision="bf16")
    assert keras.config.dtype_policy().name == "float32"
    with pytest.raises(TypeError, match="must return a Keras model"):
        train(tensorflow, lambda: 3, precision="bf16")
    assert keras.config.dtype_policy().name == "float32"


def test_what_keras_computes_in_is_not_claimed_to_be_bfloat16(monkeypatch):
    tensorflow = present()["tensorflow"]
    keras, made = tensorflow.d2l.tf.keras, tensorflow.network(*WORDS)()

    def copied():
        return keras.models.clone_model(made)

    monkeypatch.setattr(tensorflow.d2l, "is_faster_in_bf16", lambda: True)
    assert train(tensorflow, copied, precision="auto").precision == "fp32"
    with pytest.raises(ValueError, match=r'"bf16" needs a function net that makes its layers itself; .* float32'):
        train(tensorflow, copied, precision="bf16")


def test_keras_layers_that_are_made_late_compute_in_bfloat16_too():
    tensorflow = present()["tensorflow"]
    keras = tensorflow.d2l.tf.keras

    class Late(keras.Model):
        def build(self, shape):
            self.all = [keras.layers.Flatten(), keras.layers.Dense(10)]

        def call(self, X):
            return self.all[1](self.all[0](X))

    history = train(tensorflow, Late, precision="bf16")
    assert {layer.compute_dtype for layer in history.net.all} == {"bfloat16"}


def test_mxnet_runs_the_code_of_a_reader_s_block_in_every_step():
    if (mxnet := present().get("mxnet")) is None:
        pytest.skip(mxnet_absent_reason())
    gluon, runs = mxnet.d2l.gluon, []

    class Counting(gluon.HybridBlock):
        def forward(self, X):
            runs.append(X.shape)
            return mxnet.d2l.np.maximum(X, 0)

    net = gluon.nn.Sequential()
    net.add(gluon.nn.Dense(24), Counting(), gluon.nn.Dense(10))
    plain = train(mxnet, mxnet.network("flatten", "dense 24", "relu", "dense 10"), epochs=1)
    assert train(mxnet, net, epochs=1).train_loss == pytest.approx(plain.train_loss, rel=1e-5)
    assert len(runs) >= 5 + 2  # batches to learn from and to be tested on
    block = gluon.nn.HybridSequential()
    block.add(gluon.nn.Dense(24), Counting(), gluon.nn.Dense(10))
    for hybridized in (False, True):
        block[1].hybridize(hybridized)
        assert mxnet.d2l._graph(block) is None


def test_mxnet_trains_what_it_cannot_hybridize():
    if (mxnet := present().get("mxnet")) is None:
        pytest.skip(mxnet_absent_reason())
    gluon = mxnet.d2l.gluon

    class Mine(gluon.Block):
        def __init__(self):
            super().__init__()
            self.first, self.last = gluon.nn.Dense(24, activation="relu"), gluon.nn.Dense(10)

        def forward(self, X):
            return self.last(self.first(X))

    hybrid = gluon.nn.HybridSequential()
    hybrid.add(gluon.nn.Dense(24, activation="relu"), gluon.nn.Dense(10))
    expected = train(mxnet, mxnet.network("flatten", "dense 24", "relu", "dense 10"))
    nested, inner = gluon.nn.Sequential(), gluon.nn.Sequential()
    inner.add(gluon.nn.Dense(24, activation="relu"))
    nested.add(inner, gluon.nn.Dense(10))
    assert mxnet.d2l._graph(nested) is not None
    for net in (Mine(), hybrid, nested):
        assert train(mxnet, net).train_loss == pytest.approx(expected.train_loss, rel=1e-5)
    assert train(mxnet, Mine(), precision="auto").precision == "fp32"
    with pytest.raises(ValueError, match=r'precision "bf16" needs a network of HybridBlocks .*; got Mine on cpu'):
        train(mxnet, Mine(), precision="bf16")


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_mxnet_descends_by_the_rule_of_mxnet(momentum):
    if (mxnet := present().get("mxnet")) is None:
        pytest.skip(mxnet_absent_reason())
    random, ended = np.random.default_rng(0), []
    start, *gradients = random.normal(size=(4, 3, 5)).astype("float32")
    for rule in (mxnet.d2l._Descent, mxnet.d2l._mx.optimizer.SGD):
        updater = mxnet.d2l._mx.optimizer.get_updater(rule(learning_rate=0.1, momentum=momentum, rescale_grad=0.5))
        weight = mxnet.d2l._np.array(start)
        for gradient in gradients:
            updater([0], [mxnet.d2l._np.array(gradient)], [weight])
        ended.append(weight.asnumpy())
    assert np.array_equal(*ended)
    assert not np.allclose(ended[0], start)


def test_the_profile_cuts_epochs_and_says_so(backend, monkeypatch, capsys):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    history = train(backend, epochs=10)
    assert (len(history), history.profile) == (1, "smoke")
    out = capsys.readouterr().out
    assert out.startswith("Profile smoke: 1 of 10 epochs (ALEXBOOK_PROFILE=full for all)\nloss ")


def test_whoever_takes_fewer_images_may_take_more_epochs(backend, monkeypatch, capsys):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    loaders = backend.d2l.load_data_fashion_mnist(16, images=(64, 32))
    net = backend.network("flatten", "dense 10")
    history = backend.d2l.train_ch6(net, *loaders, 10, 0.1, backend.cpu)
    assert (len(history), history.images, history.tested) == (4, 64, 32)  # 256 images in all
    assert not backend.d2l.load_data_fashion_mnist(16, images=(60_000, 10_000))[0].reduced
    assert "Profile smoke: 4 of 10 epochs (ALEXBOOK_PROFILE=full for all)\n" in capsys.readouterr().out
    assert len(backend.d2l.train_ch6(net, *loaders, 2, 0.1, backend.cpu)) == 2


def test_a_run_is_recorded(backend, monkeypatch):
    monkeypatch.setattr(provenance, "_facts", {})
    monkeypatch.setattr(provenance, "_trainings", {})
    history = train(backend, epochs=3, seed=5)
    record = provenance.record()
    assert record.pop("seconds") == pytest.approx(sum(history.seconds), abs=0.001)
    facts = {"backend": backend.name, "seed": 5, "profile": "full", "precision": "fp32"}
    facts |= {"images": 3 * 96, "epochs": 3, "accuracy": round(history.test_acc[-1], 4)}
    assert facts.items() <= record.items()


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """Each look at the clock of the progress bar is a second later."""
    seconds = itertools.count()
    monkeypatch.setattr("tqdm.std.time", lambda: float(next(seconds)))


def test_a_terminal_shows_how_far_it_is_and_the_time_left(monkeypatch, clock):
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(present()["pytorch"])
    frames = sys.stderr.getvalue().split("\r")
    assert any(re.match(r"training:  70%.* 7/10 \[00:\d\d<00:0[1-9], .*batch", frame) for frame in frames)
    assert frames[-1].strip() == ""  # at the end it is gone


def test_ctrl_c_takes_the_bar_away_before_it_says_so(monkeypatch):
    torch, terminal = present()["pytorch"], Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(sys, "stderr", terminal)
    train(torch, batches=Interrupted(problem(torch)[0], 7))
    assert re.search(r"\r +\rStopped after", terminal.getvalue())


def test_a_resumed_bar_starts_where_the_run_is(monkeypatch, clock, tmp_path):
    torch, file = present()["pytorch"], tmp_path / "run.npz"
    train(torch, epochs=1, checkpoint=file)
    monkeypatch.setattr(sys, "stderr", Terminal())
    train(torch, checkpoint=file)
    assert "5/10" in sys.stderr.getvalue().split("\r")[1]


class Output:
    """One output of a notebook, and all that it has shown."""

    def __init__(self, data, raw, display_id):
        assert raw and display_id
        self.shown = [data]

    def update(self, data, raw):
        assert raw
        self.shown.append(data)


@pytest.fixture
def outputs(monkeypatch):
    """A notebook, as far as the plot can see; gives its outputs."""
    made = []
    monkeypatch.setattr(_display, "in_notebook", lambda: True)
    monkeypatch.setattr(
        "IPython.display.display", lambda *args, **kwargs: made.append(Output(*args, **kwargs)) or made[-1]
    )
    return made


def test_a_notebook_shows_a_plot_that_grows_over_the_bar(outputs, clock, capfd):
    train(present()["pytorch"])
    (output,) = outputs
    pages = [data["text/html"] for data in output.shown if "text/html" in data]
    assert all("<svg" in page and "<?" not in page.partition("</svg>")[2] for page in pages)
    assert re.search(r"<pre>training:  70%.* 7/10 \[00:\d\d&lt;00:0[1-9], .*</pre>$", "\n".join(pages), re.MULTILINE)
    final = output.shown[-1]
    assert final["text/plain"] == "Training loss and accuracies over 2 epochs"
    assert set(final) == {"text/plain", "image/svg+xml"}
    assert capfd.readouterr().err == ""


def test_the_plot_shows_each_series_and_is_the_same_to_the_byte(outputs):
    for _ in range(2):
        train(present()["pytorch"])
    first, second = (output.shown[-1]["image/svg+xml"] for output in outputs)
    assert first == second
    for series in ("train loss", "train acc", "test acc"):
        assert f"<!-- {series} -->" in first


def test_the_plot_names_the_images_held_out(outputs):
    torch = present()["pytorch"]
    loaders = torch.d2l.load_data_fashion_mnist(500, held_out=0.1)
    torch.d2l.train_ch6(torch.network("flatten", "dense 10"), *loaders, 1, 0.1, "cpu")
    assert "<!-- validation acc -->" in outputs[0].shown[-1]["image/svg+xml"]


def test_a_quiet_run_shows_its_progress_and_leaves_nothing(outputs, clock, capfd, monkeypatch):
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")  # which cuts the epochs, and would say so
    assert len(train(present()["pytorch"], quiet=True)) == 1
    (output,) = outputs
    assert any("<svg" in data.get("text/html", "") for data in output.shown)
    assert output.shown[-1] == {"text/html": ""}
    said = capfd.readouterr()
    assert said == ("Profile smoke: 1 of 2 epochs (ALEXBOOK_PROFILE=full for all)\n", "")


def test_ctrl_c_leaves_the_plot_in_a_notebook(outputs):
    torch = present()["pytorch"]
    train(torch, batches=Interrupted(problem(torch)[0], 7))
    assert "image/svg+xml" in outputs[0].shown[-1]


NOTEBOOK = """\
from alexbook import torch as d2l
net = d2l.nn.Sequential(d2l.nn.Flatten(), d2l.nn.Linear(784, 10))
history = d2l.train_ch6(net, *d2l.load_data_fashion_mnist(64), 2, 0.1, "cpu")"""


def test_a_real_notebook_keeps_one_image_and_nothing_on_stderr(monkeypatch, tmp_path):
    (tmp_path / "home").mkdir()  # IPython warns of a home that is not there
    monkeypatch.setenv("ALEXBOOK_PROFILE", "smoke")
    monkeypatch.setenv("ALEXBOOK_OFFLINE", "1")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(NOTEBOOK)])
    NotebookClient(notebook, kernel_name="python3", extra_arguments=["--log-level=40"]).execute()
    streams = [output for output in notebook.cells[0].outputs if output.output_type == "stream"]
    (plot,) = (output for output in notebook.cells[0].outputs if output.output_type != "stream")
    assert set(plot.data) == {"image/svg+xml", "text/plain"}
    assert {stream.name for stream in streams} == {"stdout"}
    cut = re.escape("Profile smoke: 1 of 2 epochs (ALEXBOOK_PROFILE=full for all)\n")
    assert re.search(cut + LAST_LINES % "cpu" + "$", "".join(stream.text for stream in streams))
