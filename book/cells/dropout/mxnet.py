# %% imports
import numpy

# First alexbook, then mxnet: see the chapter on the network
from alexbook import data, profiles
from alexbook import mxnet as d2l
from mxnet import autograd, gluon, init, np, npx
from mxnet.gluon import nn

npx.set_np()
device = d2l.try_gpu()


# %% by-hand
def draw_mask(shape, p):
    keep = np.random.uniform(size=shape) >= p
    return keep.astype("float32")  # 1 with probability 1 - p, else 0


def dropout(x, mask, p):
    return x * mask / (1 - p)


# %% moments
npx.random.seed(1)
x = np.full((1_000_000,), 3.0)
for p in 0.2, 0.5, 0.8:
    y = dropout(x, draw_mask(x.shape, p), p)
    mean, variance, predicted = y.mean().item(), y.var().item(), 9 * p / (1 - p)
    print(f"p {p}: mean {mean:.2f}, variance {variance:.2f}, predicted {predicted:.2f}")
    assert abs(mean - 3) < 0.05 and abs(variance / predicted - 1) < 0.02

# %% layer tags=["nbval-check-output"]
x = np.random.uniform(0.5, 1.5, size=(1000, 1000))  # no number is 0
layer = nn.Dropout(0.2)
with autograd.train_mode():
    y = layer(x)
kept = (y != 0).astype("float32")
assert np.allclose(y, dropout(x, kept, 0.2))
assert np.array_equal(layer(x), x)
print(f"kept {kept.mean().item():.2f}, and by hand the same with the same mask")

# %% gradient tags=["nbval-check-output"]
x.attach_grad()
with autograd.record():
    y = layer(x)
y.backward()
gradient, kept = x.grad.asnumpy(), y.asnumpy() != 0
print("gradients where it kept:   ", set(gradient[kept].tolist()))
print("gradients where it dropped:", set(gradient[~kept].tolist()))


# %% model
def network(p, seed):
    npx.random.seed(seed)  # decides the weights and the masks
    net = nn.HybridSequential()
    net.add(
        nn.Dense(512, activation="relu"),
        nn.Dropout(p),
        nn.Dense(512, activation="relu"),
        nn.Dropout(p),
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
        X, y = np.array(X, ctx=device), np.array(y, ctx=device)
        with autograd.record():  # training mode
            loss = cross_entropy(net(X), y)
        loss.backward()
        trainer.step(len(y))

    return step


# %% answers
def answers(net, X, training=False):
    with autograd.train_mode() if training else autograd.predict_mode():
        return net(np.array(X, ctx=device)).asnumpy()
