# %% imports
import math

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


# %% shapes tags=["nbval-check-output"]
X = tf.random.uniform((1, 224, 224, 1))  # (batch, height, width, channels)
network, shapes = net(), []
for layer in network.layers:
    X = layer(X)
    shapes.append(tuple(X.shape))
    print(f"{type(layer).__name__:<13}{shapes[-1]}")

# %% parameters tags=["nbval-check-output"]
names = iter(["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"])
table = {}  # name: number of weights, of biases, of values in the output
for layer, shape in zip(network.layers, shapes, strict=True):
    if layer.weights:
        name = next(names)
        weights, biases = math.prod(layer.kernel.shape), math.prod(layer.bias.shape)
        table[name] = weights, biases, math.prod(shape)
        print(f"{name:<5}{weights + biases:>12,}")
print(f"total{sum(layer.count_params() for layer in network.layers):>12,}")

# %% slopes tags=["nbval-check-output"]
x = tf.Variable(tf.range(-8, 8.1, 0.25))
slopes = {}
for name, function in (("sigmoid", tf.sigmoid), ("ReLU", tf.nn.relu)):
    with tf.GradientTape() as tape:
        y = function(x)
    slope = slopes[name] = tape.gradient(y, x).numpy()
    at_points = [f"{value:.4f}" for value in slope[::16]]  # x = -8, -4, 0, 4, 8
    print(f"{name:<8}", *at_points, f" largest {slope.max():.4f}")

# %% slope-curves
curves = list(slopes.values())
d2l.plot(x.numpy(), curves, xlabel="x", ylabel="slope", legend=list(slopes))

# %% gradients
train_iter, _ = d2l.load_data_fashion_mnist(batch_size=32, resize=224)
X, y = next(iter(train_iter))
tf.keras.utils.set_random_seed(0)
network, cross_entropy = net(), tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.build(X.shape)
kernels = [weight for weight in network.trainable_variables if len(weight.shape) > 1]
gradients = {}  # activation: mean size of the gradient in each layer's weights
for name, activation in ("ReLU", "relu"), ("sigmoid", "sigmoid"):
    for layer in network.layers[:-1]:
        if hasattr(layer, "activation"):
            layer.activation = tf.keras.activations.get(activation)
    with tf.GradientTape() as tape:
        loss = cross_entropy(y, network(X, training=True))
    slopes = tape.gradient(loss, kernels)
    gradients[name] = [tf.reduce_mean(tf.abs(slope)).numpy() for slope in slopes]


# %% lenet
def lenet(activation):
    stack = [  # takes (batch, 28, 28, 1)
        layers.Conv2D(6, kernel_size=5, padding="same", activation=activation),
        layers.AvgPool2D(pool_size=2, strides=2),
        layers.Conv2D(16, kernel_size=5, activation=activation),
        layers.AvgPool2D(pool_size=2, strides=2),
        layers.Flatten(),
        layers.Dense(120, activation=activation),
        layers.Dense(84, activation=activation),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


networks = {"sigmoid": lambda: lenet("sigmoid"), "ReLU": lambda: lenet("relu")}

# %% dropout
dropout, ones = layers.Dropout(0.5, seed=1), tf.ones(16)
training = dropout(ones, training=True).numpy()
evaluation = dropout(ones, training=False).numpy()
print("training  ", training.astype(int).tolist())
print("evaluation", evaluation.astype(int).tolist())
assert set(training) <= {0, 2} and set(evaluation) == {1}
