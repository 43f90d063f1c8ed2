# %% imports
import math

from alexbook import data
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


# %% untrained
X, y = next(iter(test_iter))
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, net()(X)).numpy()
print(f"loss {loss:.2f}, ln 10 = {math.log(10):.2f}")
assert abs(loss - math.log(10)) < 0.2

# %% predict
X, y = next(iter(test_iter))
guesses = tf.argmax(history.net(X[:18]), axis=1).numpy().tolist()
labels = y[:18].numpy().tolist()
images = X[:18, :, :, 0].numpy()  # (18, 224, 224)
