# %% imports
import time

# First alexbook, then mxnet: see the chapter on the network
from alexbook import bench
from alexbook import mxnet as d2l
import mxnet as mx
from mxnet import autograd, gluon, np, npx
from mxnet.contrib import amp
from mxnet.gluon import nn

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

# %% limit
# MXNet has no product in bfloat16 outside a network, and its fastest one is the fully connected layer: A times Aᵀ
limits = {}
A = np.random.uniform(size=(2048, 2048), ctx=X.ctx)
for count in 2, 60:  # the first two warm up
    start = time.perf_counter()
    for _ in range(count):
        B = npx.fully_connected(A, A, num_hidden=2048, no_bias=True, flatten=False)
    B[0, 0].item()  # MXNet answers when it is done
limits["float32"] = 2 * 2048**3 * count / (time.perf_counter() - start)
print(f"float32  {limits['float32'] / 1e9:6.0f} GFLOP/s: {limits['float32'] / operations:4.0f} images/s")


# %% plain
def step(X, y):
    with autograd.record():
        loss = loss_of(forward(X).astype("float32"), y).mean()
    loss.backward()
    trainer.step(1)
    return loss.item()


net.initialize(ctx=X.ctx)
forward, loss_of = net, gluon.loss.SoftmaxCrossEntropyLoss()
trainer = gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.01})
d2l.keep_memory(False)  # as a program starts; the loader has changed it
report("plain", step)

# %% graph
forward = nn.HybridSequential()  # the same layers, with the same weights
forward.add(*net)
forward.hybridize(static_alloc=True)
report("one graph", step)

# %% layout tags=["absent"]

# %% precision
data = mx.sym.var("data", dtype="float32").as_np_ndarray()
graph = forward(data)
cast = amp.convert_symbol(graph, "bfloat16", data_names=graph.list_inputs())
if d2l.has_avx512():  # older processors cannot run it
    forward = gluon.SymbolBlock([cast.as_np_ndarray()], [data], params=net.collect_params())
    forward.hybridize(static_alloc=True)
    report("bfloat16", step)

# %% memory
d2l.keep_memory()
report("memory kept", step)

# %% stopwatch tags=["absent"]

# %% profile tags=["absent"]

# %% products tags=["absent"]

# %% fold tags=["absent"]

# %% gain tags=["absent"]
