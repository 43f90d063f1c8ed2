"""AlexNet on ImageNet, or on any folder of images, in PyTorch.

The network and the recipe of Krizhevsky, Sutskever and Hinton (2012): two groups of maps and response normalization
(section 3), random crops, mirroring and shifts of colour (4.1), dropout (4.2), momentum, weight decay and a learning
rate that falls to a tenth when the validation error stops falling (5). FOLDER/train/CLASS and FOLDER/val/CLASS hold the
images; there are as many outputs as classes. One middle crop is tested where the paper averages over ten.

    python scripts/imagenet/train_pytorch.py FOLDER --checkpoint alexnet.pt
    torchrun --standalone --nproc-per-node 2 scripts/imagenet/train_pytorch.py FOLDER --checkpoint alexnet.pt

The second line trains in two processes that share each batch, on two GPUs if there are any. Either goes on from its
checkpoint, with the result of a run that was never interrupted: what an epoch draws depends on the seed, the epoch and
the image, not on what was drawn before. An image that cannot be read is named, counted and left out.
"""

import os
import signal

import common
import torch
from torch import distributed, nn
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader, DistributedSampler, default_collate
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

RANK, PROCESSES = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))  # torchrun sets them
CUDA = torch.cuda.is_available()
DEVICE = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if CUDA else torch.device("cpu")


def network(classes, width=1, dropout=0.5):
    """Section 3.5, from images of shape (3, 227, 227) in grey levels from the mean, with the weights of section 5."""
    c96, c256, c384, c4096 = (int(size * width) for size in (96, 256, 384, 4096))
    # PyTorch divides alpha by the 5 maps; the paper's 1e-4 is for their sum.
    norm = nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2)
    net = nn.Sequential(
        *(nn.Conv2d(3, c96, 11, stride=4), nn.ReLU(), norm, nn.MaxPool2d(3, 2)),  # maps of 55 by 55, pooled 27 by 27
        *(nn.Conv2d(c96, c256, 5, padding=2, groups=2), nn.ReLU(), norm, nn.MaxPool2d(3, 2)),  # pooled 13 by 13
        *(nn.Conv2d(c256, c384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(c384, c384, 3, padding=1, groups=2), nn.ReLU()),
        *(nn.Conv2d(c384, c256, 3, padding=1, groups=2), nn.ReLU(), nn.MaxPool2d(3, 2)),  # pooled 6 by 6
        *(nn.Flatten(), nn.Linear(6 * 6 * c256, c4096), nn.ReLU(), nn.Dropout(dropout)),
        *(nn.Linear(c4096, c4096), nn.ReLU(), nn.Dropout(dropout), nn.Linear(c4096, classes)),
    )
    for number, layer in enumerate((layer for layer in net if hasattr(layer, "weight")), 1):
        nn.init.normal_(layer.weight, std=common.deviation(width))
        nn.init.constant_(layer.bias, number in common.ONES)
    return net


def varied(mean, directions):
    """What turns a picture into a training image: a crop, perhaps mirrored, in other colours."""
    return v2.Compose(
        [v2.ToImage(), v2.RandomCrop(common.CROP), v2.RandomHorizontalFlip(), Colour(mean, 0.1 * directions)]
    )


def middle(mean, directions):
    """What turns a picture into a validation image."""
    return v2.Compose([v2.ToImage(), v2.CenterCrop(common.CROP), Colour(mean, 0 * directions)])


class Colour(nn.Module):
    """Subtracts the mean colour, and shifts the colours of the whole image at random along some directions."""

    def __init__(self, mean, directions):
        """`mean` has shape (3,), `directions` (3, 3)."""
        super().__init__()
        self.mean, self.directions = torch.tensor(mean), torch.tensor(directions)

    def forward(self, image):
        """From uint8 of shape (3, height, width) to float32 of the same shape."""
        return image.float() + (torch.randn(3) @ self.directions - self.mean)[:, None, None]


class Images(ImageFolder):
    """A folder of images. What is random in one depends on the seed, the epoch and its number, not on who reads it."""

    def __init__(self, args, split):
        """`transform` has to be set before an image is read, `epoch` before each epoch."""
        super().__init__(args.folder / split)
        self.samples = common.samples(args, split)  # torchvision takes more kinds of files than the other two scripts
        self.seed, self.epoch = args.seed, 0

    def __getitem__(self, index):
        """Image, label, 1, None; or, for one that cannot be read, zeros, label, its weight 0, and its path and why."""
        path, label = self.samples[index]
        try:
            picture = common.picture(path)
        except Exception as error:  # a broken file can make Pillow raise nearly anything
            return torch.zeros(3, common.CROP, common.CROP), label, torch.tensor(0.0), (path, str(error))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(common.seed(self.seed, self.epoch, index))
            return self.transform(picture), label, torch.tensor(1.0), None


def collate(items):
    """A batch: images, labels, weights, and the list of failures."""
    *arrays, failures = zip(*items, strict=True)
    return *map(default_collate, arrays), [failure for failure in failures if failure]


def leave_interrupts(_worker):
    """Ctrl-C reaches the workers as well; the script hears it, and ends between two batches."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def loaders(args, unreadable):
    """The batches of this process: its share of each training batch, and of the validation images."""
    train, val = (Images(args, split) for split in ("train", "val"))
    mean, directions = common.colours([path for path, _ in train.samples], unreadable)
    train.transform, val.transform = varied(mean, directions), middle(mean, directions)
    options = {"batch_size": common.share(args, len(train), PROCESSES), "num_workers": args.workers}
    options |= {"collate_fn": collate, "pin_memory": CUDA, "worker_init_fn": leave_interrupts}
    sampler = DistributedSampler(train, PROCESSES, RANK, seed=args.seed, drop_last=True)
    return (
        DataLoader(train, sampler=sampler, drop_last=True, **options),
        DataLoader(val, sampler=range(RANK, len(val), PROCESSES), **options),
    )


def batches(loader, unreadable, title):
    """The batches on the device, behind a bar of progress."""
    for *arrays, failures in common.bar(loader, title, unreadable.quiet):
        for failure in failures:
            unreadable.add(*failure)
        yield [array.to(DEVICE, non_blocking=True) for array in arrays]


def train_epoch(model, optimizer, loader, unreadable, title):
    """One pass over the training images. Returns the sum of the losses, and of how many images."""
    model.train()
    sums = torch.zeros(2, device=DEVICE)
    for X, y, weight in batches(loader, unreadable, title):
        loss = weight @ cross_entropy(model(X), y, reduction="none")
        optimizer.zero_grad()
        (loss / len(y)).backward()  # DistributedDataParallel takes the mean of the processes
        optimizer.step()
        sums += torch.stack([loss.detach(), weight.sum()])
    return sums.tolist()


@torch.no_grad()
def evaluate(net, loader, unreadable, title):
    """How many validation images it gets wrong, at the first guess and in all of five, and of how many."""
    net.eval()
    sums = torch.zeros(3, device=DEVICE)
    for X, y, weight in batches(loader, unreadable, title):
        scores = net(X)
        hits = scores.topk(min(5, scores.shape[1])).indices == y[:, None]
        sums += torch.stack([~hits[:, 0], ~hits.any(1), torch.ones_like(y, dtype=bool)]).float() @ weight
    return sums.tolist()


def keep_steps(optimizer, before):
    """The paper's momentum keeps the last step, which a fall of the rate leaves as it is; PyTorch's, step / rate."""
    if (now := optimizer.param_groups[0]["lr"]) != before:
        for state in optimizer.state.values():
            state["momentum_buffer"] *= before / now


def together(sums, unreadable):
    """The sums over all processes; what each could not read is known to all."""
    everyone = gathered((sums, dict(unreadable)))
    for _, failures in everyone:
        for failure in failures.items():
            unreadable.add(*failure)
    return [sum(each) for each in zip(*(sums for sums, _ in everyone), strict=True)]


def gathered(value):
    """What every process has given, in a list."""
    everyone = [value] * PROCESSES
    if PROCESSES > 1:
        distributed.all_gather_object(everyone, value)
    return everyone


def main():
    """Trains, and prints a line for each epoch."""
    args = common.parse(common.parser(__doc__), quiet=RANK > 0)
    if CUDA:
        torch.cuda.set_device(DEVICE)
    saved = common.checkpoint(args, lambda path: torch.load(path, map_location=DEVICE, weights_only=True))
    if PROCESSES > 1:
        distributed.init_process_group("nccl" if CUDA else "gloo")
    unreadable = common.Unreadable(args.quiet)
    train, val = loaders(args, unreadable)

    torch.manual_seed(args.seed)
    net = network(len(args.classes), args.width, args.dropout).to(DEVICE)
    model = DistributedDataParallel(net) if PROCESSES > 1 else net
    optimizer = torch.optim.SGD(net.parameters(), args.lr, momentum=0.9, weight_decay=5e-4)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.1, patience=common.PATIENCE, threshold=0, min_lr=args.lr / 1000)
    parts = {"net": net, "optimizer": optimizer, "scheduler": scheduler}
    done = saved["epoch"] if saved else 0
    common.alike(gathered(done))
    if saved:
        for name, part in parts.items():
            part.load_state_dict(saved[name])

    for epoch in range(done + 1, args.epochs + 1):
        torch.manual_seed(common.seed(args.seed, epoch, RANK))  # for dropout
        train.dataset.epoch = epoch
        train.sampler.set_epoch(epoch)
        rate, title = optimizer.param_groups[0]["lr"], f"epoch {epoch}"
        sums = *train_epoch(model, optimizer, train, unreadable, title), *evaluate(net, val, unreadable, title)
        error, line = common.outcome(epoch, args, rate, *together(sums, unreadable))
        scheduler.step(error)
        keep_steps(optimizer, rate)
        if RANK == 0 and args.checkpoint:
            with common.replaced(args.checkpoint) as file:
                states = {name: part.state_dict() for name, part in parts.items()}
                torch.save({"run": args.run, "epoch": epoch} | states, file)
        if RANK == 0:
            print(line, flush=True)
            unreadable.count(len(train.dataset) + len(val.dataset))
    if PROCESSES > 1:
        distributed.destroy_process_group()


if __name__ == "__main__":
    common.start(main)
