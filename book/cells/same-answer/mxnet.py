# %% imports
import filecmp
import math
import tempfile

# First alexbook, then mxnet: see the chapter on the network
from alexbook import mxnet as d2l
from alexbook import weights
from mxnet import autograd, gluon, np, npx
from mxnet.gluon import nn
import numpy
from safetensors.numpy import save_file

npx.set_np()

# %% model
net = nn.Sequential()  # takes (batch, channels, height, width) = (batch, 1, 224, 224)
net.add(
    # Objects fill many pixels: a wide window. Steps of 4 pixels: small maps from here on
    nn.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
    # Windows of 3 at every second position: neighbours overlap
    nn.MaxPool2D(pool_size=3, strides=2),
    # A padding of 2 around a window of 5 keeps height and width
    nn.Conv2D(256, kernel_size=5, padding=2, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    # Three convolutions with no pooling between them: more depth at the same resolution
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(384, kernel_size=3, padding=1, activation="relu"),
    nn.Conv2D(256, kernel_size=3, padding=1, activation="relu"),
    nn.MaxPool2D(pool_size=3, strides=2),
    # Most of the parameters stand here, and so does dropout. The first Dense flattens its input
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    nn.Dense(4096, activation="relu"),
    nn.Dropout(0.5),
    # Ten kinds of clothing; the paper's network names 1000 kinds of objects
    nn.Dense(10),
)

# %% load
net.initialize()
net(np.array(images))  # the first batch decides the shapes
weights.load(net, path)


# %% logits tags=["nbval-check-output"]
def answers(images):
    return net(np.array(images)).asnumpy()  # nothing is recorded: no dropout


print(answers(images)[0])

# %% gradients
with autograd.record():  # which also switches dropout on: leave those layers out
    X = np.array(images)
    for layer in net:
        X = X if isinstance(layer, nn.Dropout) else layer(X)
    loss = gluon.loss.SoftmaxCrossEntropyLoss()(X, np.array(labels)).mean()
loss.backward()
gradients = [layer.weight.grad().asnumpy() for layer in net if hasattr(layer, "weight")]
for name, gradient in zip(shapes, gradients, strict=True):
    print(f"{name:<5} {numpy.linalg.norm(gradient.astype('float64')):#.3g}")
