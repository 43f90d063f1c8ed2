# %% imports
import numpy as np
from skimage.feature import hog
from sklearn.svm import SVC

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data, profiles
from alexbook import mxnet as d2l
import mxnet as mx
from mxnet import autograd, gluon, init, npx
from mxnet.gluon import nn

npx.set_np()


# %% model
def network():
    net = nn.HybridSequential()  # takes (batch, channels, height, width)
    net.add(
        nn.Conv2D(16, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=2, strides=2),  # (batch, 16, 14, 14)
        nn.Conv2D(32, kernel_size=3, padding=1, activation="relu"),
        nn.MaxPool2D(pool_size=2, strides=2),  # (batch, 32, 7, 7)
        nn.Dense(128, activation="relu"),  # flattens its input
        nn.Dropout(0.5),
        nn.Dense(10),
    )
    return net


# %% train
device = d2l.try_gpu()
X = mx.np.array(images[: max(sizes)] / 255, dtype="float32", ctx=device)[:, None]
y = mx.np.array(labels[: max(sizes)], ctx=device)


def train(chosen, seed):
    mx.random.seed(seed)
    net, loss = network(), gluon.loss.SoftmaxCrossEntropyLoss()
    net.initialize(init.Xavier(), ctx=device)
    net.hybridize()
    trainer = gluon.Trainer(net.collect_params(), "adam")
    for rate, batch in plan(chosen, seed):
        trainer.set_learning_rate(rate)
        with autograd.record():
            losses = loss(net(X[batch]), y[batch])
        losses.backward()
        trainer.step(len(batch))
    return net


# %% accuracy
X_test = mx.np.array(test_images / 255, dtype="float32", ctx=device)[:, None]


def accuracy(net):
    # The test images in pieces, which fit into memory
    pieces = [X_test[start : start + 1000] for start in range(0, len(X_test), 1000)]
    guesses = mx.np.concatenate([net(X).argmax(axis=1) for X in pieces])
    return (guesses.asnumpy() == test_labels).mean()
