# %% imports
import time

from alexbook import bench
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers


# %% model
def net():  # takes (batch, height, width, channels) = (batch, 224, 224, 1)
    stack = [
        # Objects fill many pixels: a wide window. Steps of 4 pixels: small maps from here on
        layers.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
        # Windows of 3 at every second position: neighbours overlap
        layers.MaxPool2D(pool_size=3, strides=2),
        # "same" picks the padding that keeps height and width: 2 around a window of 5
        layers.Conv2D(256, kernel_size=5, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        # Three convolutions with no pooling between them: more depth at the same resolution
        layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
        layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
        layers.Conv2D(256, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Flatten(),
        # Most of the parameters stand here, and so does dropout
        layers.Dense(4096, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(4096, activation="relu"),
        layers.Dropout(0.5),
        # Ten kinds of clothing; the paper's network names 1000 kinds of objects
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% limit
limits = {}
for dtype in [tf.float32] + [tf.bfloat16] * d2l.has_bf16():
    A = tf.cast(tf.random.uniform((2048, 2048)), dtype)
    for count in 2, 60:  # the first two warm up
        start = time.perf_counter()
        for _ in range(count):
            B = A @ A
        B[0, 0].numpy()  # a GPU answers when it is done
    name = dtype.name
    limits[name] = 2 * 2048**3 * count / (time.perf_counter() - start)
    print(f"{name:<9}{limits[name] / 1e9:6.0f} GFLOP/s: {limits[name] / operations:4.0f} images/s")


# %% plain
def step(X, y):
    with tf.GradientTape() as tape:
        logits = tf.cast(model(X, training=True), tf.float32)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, logits)
        loss = tf.reduce_mean(losses)
    variables = model.trainable_variables
    optimizer.apply(tape.gradient(loss, variables), variables)
    return loss


model, optimizer = net(), tf.keras.optimizers.SGD(0.01)
report("plain", lambda X, y: step(X, y).numpy())

# %% graph
graph = tf.function(step)
report("one graph", lambda X, y: graph(X, y).numpy())

# %% layout tags=["absent"]

# %% precision
if d2l.has_bf16():
    tf.keras.config.set_dtype_policy("mixed_bfloat16")
    model, optimizer = net(), tf.keras.optimizers.SGD(0.01)
    tf.keras.config.set_dtype_policy("float32")
    graph = tf.function(step)
    report("bfloat16", lambda X, y: graph(X, y).numpy())

# %% memory tags=["absent"]

# %% stopwatch tags=["absent"]

# %% profile tags=["absent"]

# %% products tags=["absent"]

# %% fold tags=["absent"]

# %% gain tags=["absent"]
