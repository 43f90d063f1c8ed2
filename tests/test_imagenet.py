"""The ImageNet scripts, on a small folder of generated images and with a narrow network."""

import importlib
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
from backend_fixtures import NAMES, present
from PIL import Image
from safetensors.numpy import load_file

from alexbook import weights
from alexbook._probe import mxnet_absent_reason

SCRIPTS = Path(__file__).parents[1] / "scripts" / "imagenet"
OPTIONS = ("--batch-size", "8", "--width", "0.125")
TWO = {"mxnet": ("--processes", "2"), "pytorch": (), "tensorflow": ("--devices", "2")}
LINE = re.compile(
    r"epoch (\d)/(\d): training loss (\d+\.\d{4}), validation error (\d+\.\d)% \(top-1\), 0\.0% \(top-5\), "
    r"learning rate 0\.01"
)
CLASSES, TRAIN, VAL = 4, 8, 3
ARRAYS = {"mxnet": 16, "pytorch": 16, "tensorflow": 34}  # of eight layers; TensorFlow names momentum and rate as well


@pytest.fixture(scope="module", autouse=True)
def ctrl_c_is_heard():
    """A shell that starts the tests in the background has Ctrl-C ignored, and so would every process they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stripes, of another colour and direction in each class; one file of each split is damaged."""
    root, random = tmp_path_factory.mktemp("images"), np.random.default_rng(0)
    y, x = np.mgrid[:280, :300]
    for split, label, number in itertools.product(("train", "val"), range(CLASSES), range(TRAIN)):
        if split == "val" and number >= VAL:
            continue
        angle, colour = np.pi * label / CLASSES, np.where(np.arange(3) == label, 200, 80)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) / 6 + random.uniform(0, 6))
        pixels = colour + 30 * wave[..., None] + random.normal(0, 20, (280, 300, 3))
        path = root / split / f"class {label}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    broken(root)[0].write_bytes(broken(root)[0].read_bytes()[:5000])
    broken(root)[1].write_text("not an image")
    return root


def broken(folder):
    return folder / "train" / "class 1" / "3.jpg", folder / "val" / "class 2" / "0.jpg"


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    """Each framework in turn."""
    if request.param == "mxnet" and (reason := mxnet_absent_reason()):
        pytest.skip(reason)
    return request.param


def started(name, folder, *options, two=False):
    """A script in a process of its own, or in more."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    processes = (torchrun if name == "pytorch" else (), TWO[name]) if two else ((), ())
    command = [sys.executable, *processes[0], SCRIPTS / f"train_{name}.py", folder, *OPTIONS, *options, *processes[1]]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # else torchrun says that it sets it
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*map(str, command)], env=environment, start_new_session=True, **pipes)


def ended(process):
    """What a script printed and what it said on stderr, line by line."""
    with process:
        printed, said = process.communicate()
    assert process.returncode == 0, said
    return printed.splitlines(), said.splitlines()


def trained(name, path):
    """The weights in a checkpoint."""
    if name == "pytorch":
        import torch

        saved = torch.load(path, weights_only=True)["net"]
        return {name: tensor.numpy() for name, tensor in saved.items()}
    with np.load(path) as saved:
        return {
            name: saved[name] for name in saved if name not in ("state", "momentum") and "seed_generator" not in name
        }


def same(expected, found):
    """The same weights, but for the order of summation: of a bias near 0 that may be more than a ten-thousandth."""
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, atol=1e-3 * np.abs(array).max(), err_msg=key)


RECIPE = ("--dropout", "0.1", "--epochs", "3", "--workers", "2")
PLAIN = ("--dropout", "0", "--epochs", "1", "--workers", "1")


@pytest.fixture(scope="module")
def runs(name, folder, tmp_path_factory):
    """Three runs at once: of three epochs, and of one epoch in one process and in two.

    Each is its checkpoint, the lines that it printed, and what it said besides.
    """
    kinds, root = {"whole": (RECIPE, False), "one": (PLAIN, False), "two": (PLAIN, True)}, tmp_path_factory.mktemp(name)
    processes = {
        kind: started(name, folder, *options, "--checkpoint", root / kind, two=two)
        for kind, (options, two) in kinds.items()
    }
    return {kind: (root / kind, *ended(process)) for kind, process in processes.items()}


def test_it_prints_a_line_for_each_epoch_and_learns(runs):
    _, lines, _ = runs["whole"]
    found = [LINE.fullmatch(line) for line in lines]
    assert [match and match[1] + match[2] for match in found] == ["13", "23", "33"]
    assert float(found[2][3]) < float(found[0][3])


@pytest.mark.parametrize(("kind", "epochs"), [("whole", 3), ("one", 1), ("two", 1)])
def test_what_cannot_be_read_is_named_and_counted(runs, folder, kind, epochs):
    _, _, said = runs[kind]
    names = sorted(line.partition(": ")[0] for line in said if line.startswith("skipped"))
    assert names == [f"skipped {path}" for path in broken(folder)]
    assert [line for line in said if not line.startswith("skipped")] == ["2 of 44 images could not be read"] * epochs


def test_interrupted_and_resumed_it_ends_with_the_same_weights(name, folder, runs, tmp_path):
    options = (*RECIPE, "--checkpoint", tmp_path / "checkpoint")
    with started(name, folder, *options) as process:
        first = process.stdout.readline().strip()
        os.killpg(process.pid, signal.SIGINT)  # Ctrl-C, as a terminal sends it
        _, said = process.communicate()
    assert process.returncode == 130
    assert said.splitlines()[-1].endswith("the same command goes on from the last whole epoch")
    assert "Traceback" not in said
    lines, said = ended(started(name, folder, *options, "--workers", "0"))
    path, expected_lines, _ = runs["whole"]
    assert said[0] == f"{tmp_path / 'checkpoint'}: 1 of 3 epochs are done"
    assert [first, *lines] == expected_lines
    expected, found = trained(name, path), trained(name, tmp_path / "checkpoint")
    assert len(expected) == ARRAYS[name]
    for key, array in expected.items():
        np.testing.assert_array_equal(found[key], array, key)


def test_ctrl_c_waits_for_the_end_of_a_batch_and_a_second_one_does_not(common, monkeypatch):
    monkeypatch.setattr(common, "_interrupts", [])
    batches = common.bar([1, 2, 3], "epoch 1", quiet=True)
    assert next(batches) == 1
    common._interrupted()
    with pytest.raises(KeyboardInterrupt):
        next(batches)
    with pytest.raises(KeyboardInterrupt):
        common._interrupted()


def test_two_processes_do_what_one_does(name, runs):
    (path_one, (one,), _), (path_two, (two,), _) = runs["one"], runs["two"]
    one, two = LINE.fullmatch(one), LINE.fullmatch(two)
    assert float(one[3]) == pytest.approx(float(two[3]), rel=1e-3)
    assert one[4] == two[4]
    same(trained(name, path_one), trained(name, path_two))


@pytest.fixture
def script(monkeypatch):
    """Imports a script, or what they share, as a module."""
    monkeypatch.syspath_prepend(SCRIPTS)
    present()  # in the order in which the frameworks get on with each other
    with mock.patch.dict(os.environ):
        yield importlib.import_module


def test_two_devices_of_mxnet_do_what_one_does(script, folder, tmp_path, monkeypatch):
    if reason := mxnet_absent_reason():
        pytest.skip(reason)
    module = script("train_mxnet")
    for count in (1, 2):
        monkeypatch.setattr(module, "DEVICES", [module.mx.cpu(number) for number in range(count)])
        # Of 12 validation images the last batch has one, so that one device goes without.
        options = (*OPTIONS, *PLAIN, "--batch-size", 11, "--checkpoint", tmp_path / f"{count}")
        monkeypatch.setattr(sys, "argv", ["train_mxnet.py", *map(str, (folder, *options))])
        module.main()
    one, both = (trained("mxnet", tmp_path / count) for count in "12")
    same(one, dict(zip(one, both.values(), strict=True)))  # MXNet's names count on


@pytest.fixture
def common(script, monkeypatch):
    """What the scripts share; messages come from "script"."""
    monkeypatch.setattr(sys, "argv", ["script"])
    return script("common")


def test_without_a_folder_it_says_what_it_expected(name, script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [f"train_{name}.py", str(tmp_path / "absent")])
    with pytest.raises(SystemExit, match="2"):
        script(f"train_{name}").main()
    assert capsys.readouterr().err == (
        f"train_{name}.py: error: expected a folder with a folder of images for each class at "
        f"{tmp_path}/absent/train, found no folder\n"
    )


def test_the_three_networks_are_the_paper_s(script, tmp_path):
    path, answers = tmp_path / "weights", {}
    X = 50 * np.random.default_rng(0).standard_normal((2, 3, 227, 227)).astype(np.float32)
    for name, backend in present().items():
        net = script(f"train_{name}").network(1000)
        if name == "mxnet":
            net.initialize()
        if name == "pytorch":
            net.eval()
        batch = backend.tensor(X if backend.channels == 1 else X.transpose(0, 2, 3, 1).copy())
        net(batch)
        if path.exists():
            weights.load(net, path)
        weights.save(net, path)
        answers[name] = backend.numpy(net(batch))
    assert sum(array.size for array in load_file(path).values()) == 60_965_224
    for answer in answers.values():
        assert np.abs(answer - answers["pytorch"]).max() < 1e-4 * np.abs(answer).max()


def images(name, script, folder):
    """From a framework's own loader: the number of each picture of a split to its image, here (height, width, 3)."""
    module, unreadable, mean, directions = script(f"train_{name}"), script("common").Unreadable(), *COLOURS

    def mxnet(split, epoch):
        data = module.Images(folder / split, unreadable)
        data.transform = module.varied(0, epoch, mean, directions) if split == "train" else module.middle(mean)
        return {index: data[index][0].transpose(1, 2, 0) for index in range(3)}

    def pytorch(split, epoch):
        data = module.Images(SimpleNamespace(folder=folder, classes=CLASS_NAMES, seed=0), split)
        data.epoch = epoch
        data.transform = (module.varied if split == "train" else module.middle)(mean, directions)
        return {index: data[index][0].numpy().transpose(1, 2, 0) for index in range(3)}

    def tensorflow(split, epoch):
        samples = script("common").samples(SimpleNamespace(folder=folder, classes=CLASS_NAMES), split)
        data = module.images(samples, unreadable, 1, np.arange(3))
        data = data.map(module.varied(0, epoch, mean, directions) if split == "train" else module.middle(mean))
        return {index: X.numpy() for index, (X, *_) in enumerate(data)}

    return {"mxnet": mxnet, "pytorch": pytorch, "tensorflow": tensorflow}[name]


CLASS_NAMES = [f"class {number}" for number in range(CLASSES)]
COLOURS = np.array([120, 110, 100], np.float32), np.diag([10, 20, 30]).astype(np.float32)


def test_training_images_are_crops_mirrored_and_shifted_as_seed_epoch_and_number_say(name, script, folder):
    load, common = images(name, script, folder), script("common")
    once, again, later = load("train", 1), load("train", 1), load("train", 2)
    for index, image in once.items():
        assert image.shape == (227, 227, 3)
        assert image.dtype == np.float32
        np.testing.assert_array_equal(image, again[index])
        assert np.abs(image - later[index]).max() > 1
        picture = common.picture(folder / "train" / "class 0" / f"{index}.jpg").astype(np.float32)
        shift = closest(image, picture)
        assert 0 < np.abs(shift + COLOURS[0]).max() < 15


def closest(image, picture):
    """The shift of colour that makes the image of some crop of the picture, mirrored or not."""
    for candidate in (image, image[:, ::-1]):
        for top, left in itertools.product(range(30), repeat=2):
            difference = candidate[:, ::50] - picture[top : top + 227, left : left + 227][:, ::50]
            if np.ptp(difference, axis=(0, 1)).max() < 1e-3:
                return difference[0, 0]
    raise AssertionError("the image is no crop of the picture")


def test_all_see_the_same_validation_images(name, script, folder):
    found = images(name, script, folder)("val", 0)
    for index, image in found.items():
        picture = script("common").picture(folder / "val" / "class 0" / f"{index}.jpg")
        np.testing.assert_allclose(image, picture[14:241, 14:241] - COLOURS[0], atol=1e-4)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "RGBA", "1"])
@pytest.mark.parametrize("size", [(300, 280), (256, 256), (20, 900), (257, 256)])
def test_a_picture_is_a_square_of_its_middle(common, tmp_path, mode, size):
    path = tmp_path / ("image.jpg" if mode in ("RGB", "L", "CMYK") else "image.png")
    image = Image.new("RGB", size)
    image.paste((200, 100, 50), (size[0] // 4, size[1] // 4, size[0] - size[0] // 4, size[1] - size[1] // 4))
    image.convert(mode).save(path)
    found = common.picture(path)
    assert (found.shape, found.dtype) == ((256, 256, 3), np.uint8)
    if mode in ("RGB", "RGBA", "CMYK"):
        np.testing.assert_allclose(found[128, 128], (200, 100, 50), atol=6)
        assert np.abs(found.astype(int) - found[::-1]).max() < 60  # the middle is in the middle


def test_the_colours_vary_along_their_directions(common, tmp_path):
    random, paths = np.random.default_rng(0), []
    for number in range(30):
        pixels = np.full((256, 256, 3), (100, 110, 120)) + random.normal(0, 20) * np.array([1, 1, 0])
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels.round().astype(np.uint8)).save(paths[-1])
    paths.insert(5, tmp_path / "absent.png")
    mean, directions = common.colours(paths, common.Unreadable(quiet=True))
    np.testing.assert_allclose(mean, (100, 110, 120), atol=15)
    strongest = directions[np.linalg.norm(directions, axis=1).argmax()]
    assert np.linalg.norm(strongest) == pytest.approx(20 * np.sqrt(2), rel=0.4)
    assert abs(strongest[0] - strongest[1]) < 1e-3
    assert abs(strongest[2]) < 1e-3


def test_the_rate_falls_as_pytorch_s_own_rule_has_it(common):
    from torch import nn, optim

    for seed in range(20):
        errors = np.random.default_rng(seed).integers(1, 8, 60) / 10
        optimizer = optim.SGD(nn.Linear(1, 1).parameters(), 0.01)
        rule = {"factor": 0.1, "patience": common.PATIENCE, "threshold": 0, "min_lr": 0.01 / 1000}
        scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, **rule)
        for epoch, error in enumerate(errors, 1):
            scheduler.step(error)
            assert common.learning_rate(0.01, errors[:epoch]) == pytest.approx(optimizer.param_groups[0]["lr"])


def test_a_fall_of_the_rate_leaves_pytorch_s_last_step(script, monkeypatch):
    import torch

    monkeypatch.setattr(sys, "argv", ["train_pytorch.py"])
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([weight], 0.1, momentum=0.9)
    weight.grad = torch.tensor([2.0])
    optimizer.step()  # by -0.2
    optimizer.param_groups[0]["lr"] = 0.01
    script("train_pytorch").keep_steps(optimizer, 0.1)
    before, weight.grad = weight.item(), torch.zeros(1)
    optimizer.step()
    assert weight.item() - before == pytest.approx(0.9 * -0.2)


def test_an_error_while_writing_leaves_nothing_behind(common, tmp_path):
    with pytest.raises(RuntimeError), common.replaced(tmp_path / "file"):
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def spoil(root, what):
    match what:
        case "no images":
            for file in (root / "train" / "b").iterdir():
                file.unlink()
        case "one class":
            shutil.rmtree(root / "train" / "b")
            shutil.rmtree(root / "val" / "b")
        case "other classes":
            (root / "val" / "b").rename(root / "val" / "c")
        case "no validation":
            shutil.rmtree(root / "val")


MISTAKES = {
    "no images": "expected images (.jpg, .jpeg, .png) in {}/train/b, found none",
    "one class": "expected a folder of images for each class in {}/train, at least two, found 1",
    "other classes": "expected the same classes in {0}/train and {0}/val, found only in one: b, c",
    "no validation": "expected a folder with a folder of images for each class at {}/val, found no folder",
}


def parsed(common, *options):
    with mock.patch.object(sys, "argv", ["script", *map(str, options)]):
        return common.parse(common.parser("A script."))


@pytest.fixture
def tree(tmp_path):
    """Two classes, of one file each."""
    for place in ("train/a", "train/b", "val/a", "val/b"):
        (tmp_path / "images" / place).mkdir(parents=True)
        (tmp_path / "images" / place / "1.JPEG").touch()
    return tmp_path / "images"


@pytest.mark.parametrize("what", MISTAKES)
def test_a_folder_that_cannot_be_used_is_refused(common, tree, what, capsys):
    assert parsed(common, tree).classes == ["a", "b"]
    spoil(tree, what)
    with pytest.raises(SystemExit, match="2"):
        parsed(common, tree)
    assert capsys.readouterr().err == f"script: error: {MISTAKES[what].format(tree)}\n"


@pytest.mark.parametrize(
    "option",
    [
        *(("--epochs", "0"), ("--lr", "-1"), ("--seed", "-1"), ("--workers", "-1"), ("--dropout", "1")),
        *(("--epochs", "x"), ("--lr", "x"), ("--workers", "1.5")),
    ],
)
def test_a_number_that_cannot_be_is_refused(common, tree, option, capsys):
    with pytest.raises(SystemExit, match="2"):
        parsed(common, tree, *option)
    assert f"argument {option[0]}: expected a " in capsys.readouterr().err


def test_a_batch_has_to_fit_images_and_processes(common, tree, capsys):
    args = parsed(common, tree, "--batch-size", "6")
    assert common.share(args, 6, 2) == 3
    for images, processes in ((5, 2), (100, 4)):
        with pytest.raises(SystemExit, match="2"):
            common.share(args, images, processes)
    assert capsys.readouterr().err.splitlines() == [
        "script: error: expected at least one batch of 6 training images, found 5: try a smaller one",
        "script: error: expected a --batch-size that 4 processes can share, got 6",
    ]


def test_a_checkpoint_is_of_its_run_or_refused(common, tree, tmp_path, capsys):
    path = tmp_path / "new" / "checkpoint"
    args = parsed(common, tree, "--checkpoint", path)
    assert common.checkpoint(args, common.read_arrays) is None
    common.write_arrays(path, {"run": args.run, "epoch": 2}, {"a/b": np.arange(3)})
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint"]
    assert common.checkpoint(args, common.read_arrays)["arrays"]["a/b"].tolist() == [0, 1, 2]
    capsys.readouterr()

    with pytest.raises(SystemExit, match="2"):
        common.checkpoint(parsed(common, tree, "--checkpoint", path, "--batch-size", "8"), common.read_arrays)
    assert capsys.readouterr().err.startswith(f"script: error: {path}: expected batch_size 8, found 128; ")
    with pytest.raises(SystemExit, match="2"), mock.patch.object(sys, "argv", ["other", str(tree)]):
        other = common.parse(common.parser("Another script."))
        other.checkpoint = path
        common.checkpoint(other, common.read_arrays)
    assert capsys.readouterr().err.startswith(f"other: error: {path}: expected script other, found script; ")
    for split in ("train", "val"):
        shutil.copytree(tree / split / "a", tree / split / "c")
    with pytest.raises(SystemExit, match="2"):
        common.checkpoint(parsed(common, tree, "--checkpoint", path), common.read_arrays)
    assert capsys.readouterr().err.startswith(f"script: error: {path}: expected the same classes, found others; ")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(SystemExit, match="2"):
        common.checkpoint(args, common.read_arrays)
    assert capsys.readouterr().err.startswith(
        f"script: error: {path}: expected a whole checkpoint of this script, found "
    )


def test_a_checkpoint_that_cannot_be_written_ends_the_run_at_once(common, tree, tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="2"):
        common.checkpoint(parsed(common, tree, "--checkpoint", tmp_path / "file" / "a"), common.read_arrays)
    assert "expected a place for the checkpoint" in capsys.readouterr().err


def test_processes_that_go_on_from_different_epochs_end(common, capsys):
    common.alike([3, 3])
    with pytest.raises(SystemExit, match="2"):
        common.alike([3.0, 0.0])
    assert "expected one --checkpoint that all processes see, found some after epochs 3, 0" in capsys.readouterr().err


def test_a_kill_while_writing_leaves_the_checkpoint_before(common, tmp_path):
    path = tmp_path / "checkpoint"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), common.replaced(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_text() == "before"


@pytest.mark.parametrize("sums", [(float("nan"), 4, 1, 0, 4), (1.0, 0, 0, 0, 4), (1.0, 4, 0, 0, 0)])
def test_an_epoch_without_a_loss_or_without_images_ends_the_run(common, tree, sums):
    with pytest.raises(SystemExit, match="2"):
        common.outcome(1, parsed(common, tree), 0.01, *sums)
