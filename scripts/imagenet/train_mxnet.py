"""AlexNet on ImageNet, or on any folder of images, in MXNet.

The network and the recipe of Krizhevsky, Sutskever and Hinton (2012): two groups of maps and response normalization
(section 3), random crops, mirroring and shifts of colour (4.1), dropout (4.2), momentum, weight decay and a learning
rate that falls to a tenth when the validation error stops falling (5). FOLDER/train/CLASS and FOLDER/val/CLASS hold the
images; there are as many outputs as classes. One middle crop is tested where the paper averages over ten.

    python scripts/imagenet/train_mxnet.py FOLDER --checkpoint alexnet.npz
    python scripts/imagenet/train_mxnet.py FOLDER --checkpoint alexnet.npz --processes 2

It trains on all GPUs that it finds, which share each batch. The second line trains in two processes that share each
batch by MXNet's key-value store; for processes on several machines, start the script once for each role, as
https://mxnet.apache.org/versions/1.9.1/api/faq/distributed_training describes, and it takes the role from DMLC_ROLE.
Either goes on from its checkpoint, with the result of a run that was never interrupted: what an epoch draws depends on
the seed, the epoch and the image, not on what was drawn before. An image that cannot be read is named, counted and left
out.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time

import common
import numpy as np

from alexbook.mxnet import autograd, gluon, nn, npx  # first: it gives back to NumPy what MXNet 1.9.1 looks for

# isort: split
import mxnet as mx

npx.set_np()
GPUS = [mx.gpu(number) for number in range(mx.context.num_gpus())]
DEVICES = GPUS or [mx.cpu()]
SUMS, DONE = 1_000_000, 1_000_001  # keys of the store that no weight has


class Norm(nn.HybridBlock):
    """Response normalization over 5 maps. MXNet divides alpha by 5; the paper's 1e-4 is for their sum."""

    def hybrid_forward(self, F, X):
        """From a shape to the same."""
        return F.LRN(X.as_nd_ndarray(), nsize=5, alpha=5e-4, beta=0.75, knorm=2).as_np_ndarray()


def network(classes, width=1, dropout=0.5):
    """Section 3.5, from images of shape (3, 227, 227) in grey levels from the mean, with the weights of section 5."""
    c96, c256, c384, c4096 = (int(size * width) for size in (96, 256, 384, 4096))
    net = nn.HybridSequential()
    net.add(
        *(nn.Conv2D(c96, 11, 4, activation="relu"), Norm(), nn.MaxPool2D(3, 2)),  # maps of 55 by 55, pooled 27 by 27
        *(nn.Conv2D(c256, 5, padding=2, groups=2, activation="relu"), Norm(), nn.MaxPool2D(3, 2)),  # pooled 13 by 13
        nn.Conv2D(c384, 3, padding=1, activation="relu"),
        nn.Conv2D(c384, 3, padding=1, groups=2, activation="relu"),
        *(nn.Conv2D(c256, 3, padding=1, groups=2, activation="relu"), nn.MaxPool2D(3, 2)),  # pooled 6 by 6
        *(nn.Dense(c4096, "relu"), nn.Dropout(dropout)),
        *(nn.Dense(c4096, "relu"), nn.Dropout(dropout), nn.Dense(classes)),
    )
    for number, layer in enumerate((layer for layer in net if hasattr(layer, "weight")), 1):
        layer.weight.init = mx.init.Normal(common.deviation(width))
        layer.bias.init = "ones" if number in common.ONES else "zeros"
    return net


class Images(gluon.data.vision.ImageFolderDataset):
    """A folder of images: (image, label, 1), or (zeros, label, 0) for one that cannot be read, which weighs nothing."""

    def __init__(self, folder, unreadable):
        """`transform` has to be set before an image is read."""
        super().__init__(str(folder))
        self.unreadable, self.transform = unreadable, None

    def __getitem__(self, index):
        """The image is float32 of shape (3, 227, 227). MXNet's own reader takes half a file for a whole one."""
        path, label = self.items[index]
        picture = self.unreadable.picture(path)
        if picture is None:
            return np.zeros((3, common.CROP, common.CROP), np.float32), label, 0
        return self.transform(picture, index).astype(np.float32).transpose(2, 0, 1), label, 1


def varied(seed, epoch, mean, directions):
    """What turns a picture into a training image. It draws the same for the same seed, epoch and image."""

    def vary(picture, index):
        random = np.random.default_rng((seed, epoch, index))
        top, left = random.integers(0, common.SIDE - common.CROP + 1, 2)
        step = random.choice((1, -1))
        crop = picture[top : top + common.CROP, left : left + common.CROP][:, ::step]
        return crop + (0.1 * random.standard_normal(3) @ directions - mean)

    return vary


def middle(mean):
    """What turns a picture into a validation image."""
    inner = slice(start := (common.SIDE - common.CROP) // 2, start + common.CROP)
    return lambda picture, _: picture[inner, inner] - mean


def batches(args, store, images, order, title):
    """This process's share of the batches, in NumPy: images, labels and weights."""
    mine = order[store.rank :: store.num_workers]
    options = {"batch_size": args.batch_size // store.num_workers, "batchify_fn": batchify}
    options |= {"num_workers": args.workers, "thread_pool": True}  # Pillow lets threads work side by side
    loader = gluon.data.DataLoader(images, sampler=mine, **options)
    return common.bar(loader, title, args.quiet)


def batchify(items):
    """A batch, from the images of a dataset."""
    X, y, weight = zip(*items, strict=True)
    return np.stack(X), np.array(y), np.array(weight, np.float32)


def split(*arrays):
    """For each device its part of a batch; none for a device that a small last batch does not reach."""
    cuts = zip(*(np.array_split(each, len(DEVICES)) for each in arrays), strict=True)
    for device, parts in zip(DEVICES, cuts, strict=True):
        if len(parts[0]):
            yield [mx.np.array(part, ctx=device) for part in parts]


def train_epoch(args, net, trainer, store, loader):
    """One pass over the training images. Returns the sum of the losses, and of how many images."""
    measure = gluon.loss.SoftmaxCrossEntropyLoss()
    total = count = 0
    for X, y, weight in loader:
        with autograd.record():
            losses = [measure(net(each), *others) for each, *others in split(X, y, weight[:, None])]
        autograd.backward(losses)
        for key, parameter in enumerate(net.collect_params().values()):
            store.pushpull(key, parameter.list_grad(), priority=-key)  # the sum over all devices and processes
        trainer.update(args.batch_size)  # divides by this
        total, count = total + sum(each.sum().item() for each in losses), count + weight.sum()
    return total, count


def evaluate(net, loader):
    """How many validation images it gets wrong, at the first guess and in all of five, and of how many."""
    sums = np.zeros(3)
    for X, y, weight in loader:
        scores = np.concatenate([net(part).asnumpy() for (part,) in split(X)])
        hits = np.argsort(-scores, axis=1)[:, :5] == y[:, None]
        sums += [weight @ ~hits[:, 0], weight @ ~hits.any(1), weight.sum()]
    return sums


def together(store, sums, unreadable, paths):
    """The sums over all processes; what each could not read is known to all."""
    if store.num_workers == 1:
        return sums
    both = mx.np.array([*sums, *(path in unreadable for path in paths)])
    store.pushpull(SUMS, both, both)
    for path, failed in zip(paths, both[len(sums) :].asnumpy(), strict=True):
        if failed:
            unreadable.picture(path)
    return both[: len(sums)].asnumpy().tolist()


def alike(store, done):
    """Ends the program if the processes found checkpoints of different epochs: they would train different networks."""
    everyone = mx.np.zeros(store.num_workers)
    everyone[store.rank] = done
    if store.num_workers > 1:
        store.pushpull(DONE, everyone, everyone)
    common.alike(everyone.asnumpy().tolist())


def launch(processes):
    """Starts this script again for each role: a scheduler, a server that adds up the gradients, and the workers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    roles = ["scheduler", "server", *["worker"] * processes]
    here = {"DMLC_PS_ROOT_URI": "127.0.0.1", "DMLC_PS_ROOT_PORT": str(port), "DMLC_NODE_HOST": "127.0.0.1"}
    here |= {"DMLC_NUM_SERVER": "1", "DMLC_NUM_WORKER": str(processes)}
    command = [sys.executable, *sys.argv]
    children = [subprocess.Popen(command, env=os.environ | here | {"DMLC_ROLE": role}) for role in roles]
    try:
        while None in (codes := [child.poll() for child in children]) and not any(codes):
            time.sleep(0.1)
    finally:
        for child in children:
            child.terminate()
    for child in children:
        child.wait()
    raise SystemExit(next((abs(code) for code in codes if code), 0))  # below 0 for one that a signal ended


def prepared(args, store):
    """The network with its first weights, which the seed makes the same in every process, and what trains it."""
    mx.random.seed(args.seed)
    net = network(len(args.classes), args.width, args.dropout)
    net.initialize(ctx=DEVICES)
    for device in DEVICES:
        net(mx.np.zeros((1, 3, common.CROP, common.CROP), ctx=device))  # the layers learn their shapes
    net.hybridize(static_alloc=True)
    rule = {"learning_rate": args.lr, "momentum": 0.9, "wd": 5e-4}
    trainer = gluon.Trainer(net.collect_params(), "sgd", rule, kvstore=None)  # `train_epoch` sums the gradients itself
    for key, parameter in enumerate(net.collect_params().values()):
        store.init(key, mx.np.zeros(parameter.shape))
    ready(store)
    return net, trainer


def ready(store):
    """Waits until the store has all that it was given, for what asks it earlier takes one thing for another."""
    npx.waitall()
    if store.num_workers > 1:
        store._barrier()


def state(net, trainer):
    """All that the next epoch goes on from: the weights by their names, and the momentum as MXNet keeps it."""
    arrays = {name: parameter.data(DEVICES[0]).asnumpy() for name, parameter in net.collect_params().items()}
    with tempfile.TemporaryDirectory() as folder:
        trainer.save_states(f"{folder}/momentum")
        return arrays | {"momentum": np.fromfile(f"{folder}/momentum", np.uint8)}


def restore(net, trainer, arrays):
    """Takes back what `state` gave."""
    for name, parameter in net.collect_params().items():
        parameter.set_data(mx.np.array(arrays[name]))
    with tempfile.TemporaryDirectory() as folder:
        arrays["momentum"].tofile(f"{folder}/momentum")
        trainer.load_states(f"{folder}/momentum")


def main():
    """Trains, and prints a line for each epoch."""
    parser = common.parser(__doc__)
    parser.add_argument("--processes", type=common.whole(1), default=1, help="on this machine (default: 1)")
    args = common.parse(parser)
    if args.processes > 1 and "DMLC_ROLE" not in os.environ:
        launch(args.processes)
    saved = common.checkpoint(args, common.read_arrays)
    store = mx.kv.create("dist_sync" if "DMLC_ROLE" in os.environ else "device")
    args.quiet = store.rank > 0
    unreadable = common.Unreadable(args.quiet)
    train, val = (Images(args.folder / split, unreadable) for split in ("train", "val"))
    common.share(args, len(train), store.num_workers)
    paths = [path for path, _ in train.items + val.items]
    mean, directions = common.colours(paths[: len(train)], unreadable)
    val.transform = middle(mean)
    store.init(SUMS, mx.np.zeros(5 + len(paths)))
    store.init(DONE, mx.np.zeros(store.num_workers))

    net, trainer = prepared(args, store)
    errors = saved["errors"] if saved else []
    alike(store, len(errors))
    if saved:
        restore(net, trainer, saved["arrays"])

    for epoch in range(len(errors) + 1, args.epochs + 1):
        trainer.set_learning_rate(rate := common.learning_rate(args.lr, errors))
        mx.random.seed(common.seed(args.seed, epoch, store.rank) % 2**31)  # for dropout
        train.transform = varied(args.seed, epoch, mean, directions)
        order = np.random.default_rng((args.seed, epoch)).permutation(len(train))
        whole = order[: len(order) // args.batch_size * args.batch_size]
        learned = train_epoch(args, net, trainer, store, batches(args, store, train, whole, f"epoch {epoch}"))
        tested = evaluate(net, batches(args, store, val, range(len(val)), f"epoch {epoch}, validation"))
        sums = together(store, (*learned, *tested), unreadable, paths)
        error, line = common.outcome(epoch, args, rate, *sums)
        errors.append(error)
        if store.rank == 0 and args.checkpoint:
            facts = {"run": args.run, "epoch": epoch, "errors": errors}
            common.write_arrays(args.checkpoint, facts, state(net, trainer))
        if store.rank == 0:
            print(line, flush=True)
            unreadable.count(len(paths))


if __name__ == "__main__":
    common.start(main)
