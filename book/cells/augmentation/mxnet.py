# %% imports
import numpy

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data, profiles
from alexbook import mxnet as d2l
from mxnet import MXNetError, autograd, gluon, init, np, npx
from mxnet.gluon import nn
from mxnet.gluon.data.vision import transforms

npx.set_np()
device = d2l.try_gpu()

# %% framework
image = np.array(boot[..., None])  # (28, 28, 1)
large = np.array(padded[..., None])  # (32, 32, 1)
by_framework = {
    "mirror": npx.image.flip_left_right(image),
    "crop": npx.image.crop(large, x=0, y=1, width=28, height=28),
    "contrast": npx.image.random_contrast(image, min_factor=0.4, max_factor=0.4),
}
by_framework = {name: each[..., 0].asnumpy() for name, each in by_framework.items()}

# %% brightness
brighter = npx.image.random_brightness(image, min_factor=1.5, max_factor=1.5)
brighter = brighter[..., 0].asnumpy()
assert numpy.allclose(brighter, 1.5 * boot)
for name, place in (("black", boot.argmin()), ("lightest", boot.argmax())):
    print(f"{name}: {boot.flat[place]:.2f} becomes {brighter.flat[place]:.2f}")

# %% random
npx.random.seed(1)
flip = transforms.RandomFlipLeftRight()
boots = np.tile(image, (128, 1, 1, 1))  # (128, 28, 28, 1)
one_by_one = np.stack([flip(each) for each in boots])
changed = (one_by_one.asnumpy() != boots.asnumpy()).any(axis=(1, 2, 3))
print("one by one:", changed.sum(), "of 128 mirrored")

# %% batch
try:
    flip(boots)
except MXNetError as error:
    print("the batch:", str(error).splitlines()[-1].split(" : ")[-1])


# %% model
def network(seed):
    npx.random.seed(seed)
    net = nn.HybridSequential()  # takes (batch, 1, 28, 28)
    net.add(
        nn.Conv2D(16, kernel_size=3, padding=1),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Activation("relu"),
        nn.Conv2D(32, kernel_size=3, padding=1),
        nn.MaxPool2D(pool_size=2, strides=2),
        nn.Activation("relu"),
        nn.Dense(128, activation="relu"),  # flattens its input
        nn.Dense(10),
    )
    net.initialize(init.Xavier(), ctx=device)
    net.hybridize()
    return net


# %% learner
def learner(net):
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"momentum": 0.9})
    cross_entropy = gluon.loss.SoftmaxCrossEntropyLoss()

    def step(X, y, rate):
        trainer.set_learning_rate(rate)
        X, y = np.array(X[:, None], ctx=device), np.array(y, ctx=device)
        with autograd.record():
            loss = cross_entropy(net(X), y)
        loss.backward()
        trainer.step(len(y))

    return step


# %% answers
def answers(net, X):
    return net(np.array(X[:, None], ctx=device)).asnumpy()
