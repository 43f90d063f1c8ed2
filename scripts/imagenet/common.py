"""What the three ImageNet scripts share, none of it a matter of the framework.

The command line, the folder and its checks, a picture from a file, the statistics of the colours, the line of an epoch,
and files that are always whole. What a framework does itself stands in its script: the network, the loader, the
training, the processes.
"""

import argparse
import contextlib
import json
import math
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

SIDE, CROP = 256, 227  # the paper says 224, but draws maps of 55 by 55, which take 227
PATIENCE = 5  # epochs without a lower validation error, and the learning rate falls to a tenth
SUFFIXES = (".jpg", ".jpeg", ".png")
WORKERS = min(4, os.cpu_count() or 1)
WIDTHS = (1, 1 / 2, 1 / 4, 1 / 8)
ONES = (2, 4, 5, 6, 7)  # the layers whose biases start at 1, conv1 being the first; the others start at 0
_interrupts = []  # one for each Ctrl-C


def parser(doc):
    """The options that all three scripts have; `doc` is the script's docstring."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("folder", type=Path, help="holds train/CLASS/*.jpg and val/CLASS/*.jpg")
    made.add_argument("--epochs", type=whole(1), default=90, help="how often to go through the images (default: 90)")
    made.add_argument("--batch-size", type=whole(1), default=128, help="over all processes (default: 128)")
    made.add_argument("--lr", type=fraction, default=0.01, help="the first learning rate (default: 0.01)")
    made.add_argument("--dropout", type=fraction, default=0.5, help="of the outputs of fc6 and fc7 (default: 0.5)")
    made.add_argument("--seed", type=whole(0), default=0, help="decides every random number (default: 0)")
    made.add_argument("--checkpoint", type=at_home, help="a file to write after each epoch, and to go on from")
    made.add_argument("--workers", type=whole(0), default=WORKERS, help="how many read images for each process")
    made.add_argument("--width", type=float, choices=WIDTHS, default=1, help="a narrower network, to try things out")
    return made


def at_home(path):
    """Reads a path; the shell leaves a ~ after = as it is."""
    return Path(path).expanduser()


def whole(least):
    """Reads a whole number of at least so much."""

    def number(text):
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return int(text)

    return number


def fraction(text):
    """Reads a number of at least 0 and below 1."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < 1:
            return float(text)
    raise argparse.ArgumentTypeError(f"expected a number from 0 to below 1, got {text!r}")


def parse(parser, quiet=False):
    """The options, and `classes`, the names of the class folders. A folder that cannot be used ends the program.

    `quiet` is for a process that leaves the talking to another.
    """
    args = parser.parse_args()
    args.quiet = quiet
    args.classes = classes(args.folder / "train")
    if (others := classes(args.folder / "val")) != args.classes:
        odd = ", ".join(sorted({*others} ^ {*args.classes}))
        stop(
            f"expected the same classes in {args.folder / 'train'} and {args.folder / 'val'}, found only in one: {odd}"
        )
    # Another of these makes it another run; more epochs or fewer workers do not.
    args.run = {name: getattr(args, name) for name in ("classes", "batch_size", "lr", "dropout", "seed", "width")}
    args.run["script"] = Path(sys.argv[0]).name  # each framework has its own names for the weights
    return args


def classes(folder):
    """The class folders in alphabetical order: a class is known by its place there."""
    if not folder.is_dir():
        stop(f"expected a folder with a folder of images for each class at {folder}, found no folder")
    found = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    for name in found:
        if not any(file.suffix.lower() in SUFFIXES for file in (folder / name).iterdir()):
            stop(f"expected images ({', '.join(SUFFIXES)}) in {folder / name}, found none")
    if len(found) < 2:
        stop(f"expected a folder of images for each class in {folder}, at least two, found {len(found)}")
    return found


def samples(args, split):
    """The paths of all images of "train" or "val", each with the number of its class."""
    folders = (args.folder / split / name for name in args.classes)
    names = (sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES) for folder in folders)
    return [(str(file), label) for label, files in enumerate(names) for file in files]


def stop(message, code=2):
    """Ends the program with one line."""
    tqdm.write(f"{Path(sys.argv[0]).name}: error: {message}", file=sys.stderr)
    raise SystemExit(code)


def picture(path):
    """The image scaled to a shorter side of 256, its middle: uint8 of shape (256, 256, 3). Section 2 of the paper."""
    with Image.open(path) as image:
        scale = SIDE / min(image.size)
        width, height = (max(SIDE, round(length * scale)) for length in image.size)
        left, top = (width - SIDE) // 2, (height - SIDE) // 2
        scaled = image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR)
        return np.array(scaled.crop((left, top, left + SIDE, top + SIDE)))


class Unreadable(dict):
    """The files that could not be read, and why: each is named once, and left out."""

    def __init__(self, quiet=False):
        """`quiet` is for a process that leaves the naming to another."""
        super().__init__()
        self.quiet = quiet

    def add(self, path, why):
        """Names a file that is new here."""
        if path not in self and not self.quiet:
            tqdm.write(f"skipped {path}: {why}", file=sys.stderr)
        self[path] = why

    def picture(self, path):
        """The picture, or None if there is none to be had."""
        try:
            return picture(path)
        except Exception as error:  # a broken file can make Pillow raise nearly anything
            self.add(path, str(error))

    def count(self, total):
        """Says how many of how many it is, if there are any."""
        if self and not self.quiet:
            tqdm.write(f"{len(self):,} of {total:,} images could not be read", file=sys.stderr)


def colours(paths, unreadable, sample=1000):
    """The mean colour, and the three directions in which colours vary, as long as a standard deviation each.

    Section 4.1 of the paper, on a sample. There the shift along a direction is 0.1 times a random number times the
    eigenvalue, which is a variance; in the first author's later code, cuda-convnet2, standard deviations take the place
    of variances, as here.

    Returns:
        Two arrays of float32: shape (3,), and shape (3, 3), a direction in each row.
    """
    pictures = (unreadable.picture(path) for path in paths[:: math.ceil(len(paths) / sample)])
    pixels = np.concatenate([each[::8, ::8].reshape(-1, 3) for each in pictures if each is not None] or [np.eye(3)])
    variances, directions = np.linalg.eigh(np.cov(pixels.T))
    scaled = np.sqrt(variances.clip(0))[:, None] * directions.T
    return pixels.mean(0).astype(np.float32), scaled.astype(np.float32)


def share(args, images, processes):
    """How many images of a batch each process takes."""
    if args.batch_size % processes:
        stop(f"expected a --batch-size that {processes} processes can share, got {args.batch_size}")
    if args.batch_size > images:
        stop(f"expected at least one batch of {args.batch_size} training images, found {images}: try a smaller one")
    return args.batch_size // processes


def deviation(width):
    """Of the first weights: 0.01 in the paper, and in a narrower network as much more as keeps the signals as large."""
    return 0.01 / width**0.5


def seed(*numbers):
    """One seed from several numbers, such as the run's seed, the epoch and the image."""
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def learning_rate(first, errors):
    """The rate after these validation errors: a tenth, at most three times, whenever `PATIENCE` runs out."""
    rate, best, waited = first, math.inf, 0
    for error in errors:
        best, waited = (error, 0) if error < best else (best, waited + 1)
        if waited > PATIENCE:
            rate, waited = max(rate / 10, first / 1000), 0
    return rate


def outcome(epoch, args, rate, loss, trained, wrong1, wrong5, tested):
    """The validation error, and the line of an epoch, from sums over images and how many images those were."""
    heed()
    if not trained or not tested:
        stop(f"no image could be read in epoch {epoch}: is {args.folder} still there?")
    if not math.isfinite(loss):
        stop(f"the loss of epoch {epoch} is not finite: try a lower --lr")
    top1, top5 = wrong1 / tested, wrong5 / tested
    return top1, (
        f"epoch {epoch}/{args.epochs}: training loss {loss / trained:.4f}, "
        f"validation error {top1:.1%} (top-1), {top5:.1%} (top-5), learning rate {rate:g}"
    )


@contextlib.contextmanager
def replaced(path):
    """A file to write to, which takes the place of `path` when it is whole: a kill leaves the old one or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def writable(path):
    """Ends the program now, and not after an epoch, if no file can be written there."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        stop(f"{path}: expected a place for the checkpoint, found none: {error}")


def checkpoint(args, read):
    """What `read` finds in the checkpoint; None if there is none yet. One of another run ends the program."""
    if args.checkpoint is None:
        return None
    writable(args.checkpoint)
    if not args.checkpoint.exists():
        return None
    try:
        saved = read(args.checkpoint)
        theirs = saved["run"]
    except Exception as error:  # what a damaged file raises depends on where it is damaged
        stop(f"{args.checkpoint}: expected a whole checkpoint of this script, found {type(error).__name__}: {error}")
    for name, ours in args.run.items():
        if theirs.get(name) != ours:
            what = f"{name} {ours}, found {theirs.get(name)}" if name != "classes" else "the same classes, found others"
            stop(f"{args.checkpoint}: expected {what}; give the options of that run, or another --checkpoint")
    if not args.quiet:
        tqdm.write(f"{args.checkpoint}: {saved['epoch']} of {args.epochs} epochs are done", file=sys.stderr)
    return saved


def alike(epochs):
    """Ends the program unless all processes go on from the same epoch: else they would train different networks."""
    if len(set(epochs)) > 1:
        found = ", ".join(f"{epoch:g}" for epoch in epochs)
        stop(f"expected one --checkpoint that all processes see, found some after epochs {found}: put it where all do")


def read_arrays(path):
    """What `write_arrays` has written: the state, and in it the arrays."""
    # Opened here, for NumPy leaves a file open that it cannot read.
    with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
        arrays = dict(file)
    return json.loads(str(arrays.pop("state"))) | {"arrays": arrays}


def write_arrays(path, state, arrays):
    """Writes arrays of NumPy, and what JSON can hold."""
    with replaced(path) as file:
        np.savez(file, state=np.array(json.dumps(state)), **arrays)


def _interrupted(*_):
    """Remembers Ctrl-C for `heed`; a second one ends the script wherever it is."""
    _interrupts.append(True)
    if len(_interrupts) > 1:
        raise KeyboardInterrupt


def heed():
    """Ends the script between two batches after Ctrl-C, which elsewhere may hit a fork, a destructor or native code."""
    if _interrupts:
        raise KeyboardInterrupt


def bar(batches, title, quiet):
    """The same batches, behind a bar of progress and with an ear for Ctrl-C."""
    for batch in tqdm(batches, title, leave=False, disable=quiet or None):
        heed()
        yield batch


def start(main):
    """Runs a script; Ctrl-C ends it with a line."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # and not ignored, as in the background
        signal.signal(signal.SIGINT, _interrupted)
    try:
        main()
    except KeyboardInterrupt:
        stop("interrupted; with --checkpoint, the same command goes on from the last whole epoch", 130)
