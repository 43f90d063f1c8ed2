# %% imports
import statistics

from alexbook import data
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers


# %% model
def block(outputs):
    return [
        layers.Conv2D(outputs, kernel_size=3, padding="same", use_bias=False),
        layers.MaxPool2D(pool_size=2, strides=2),  # first: then the others have a quarter of the work
        layers.BatchNormalization(momentum=0.9, epsilon=1e-5),  # as in PyTorch and MXNet
        layers.ReLU(),
    ]


def net():  # takes (batch, height, width, channels) = (batch, 28, 28, 1)
    stack = [
        *block(32),  # (batch, 14, 14, 32)
        *block(64),  # (batch, 7, 7, 64)
        *block(128),  # (batch, 3, 3, 128)
        layers.Flatten(),
        layers.Dense(256, activation="relu"),
        layers.Dropout(0.3),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% guess
guesses, labels = zip(*((tf.argmax(runs[-1].net(X), axis=1), y) for X, y in test_iter), strict=True)
guesses, labels = (tf.concat(batches, axis=0).numpy() for batches in (guesses, labels))  # (10000,) each
