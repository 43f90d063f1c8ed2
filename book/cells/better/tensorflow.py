# %% imports
import statistics

from alexbook import data, profiles
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers


# %% model
def net():  # takes (batch, height, width, channels) = (batch, 224, 224, 1)
    stack = [
        layers.Conv2D(96, kernel_size=11, strides=4, activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Conv2D(256, kernel_size=5, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
        layers.Conv2D(384, kernel_size=3, padding="same", activation="relu"),
        layers.Conv2D(256, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=3, strides=2),
        layers.Flatten(),
        layers.Dense(4096, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(4096, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% size
gpu = d2l.num_gpus() > 0
full, quick, smoke = ((60_000, 10_000), 128, 10, 20), ((1_024, 512), 16, 2, 4), ((128, 64), 16, 1, 1)
images, batch_size, trial, epochs = profiles.pick(full=full, quick=quick, smoke=smoke, accelerator=gpu)


# %% answers
def probabilities(net):  # of each class, for each test image: (images, 10)
    return tf.concat([tf.nn.softmax(tf.cast(net(X), tf.float32)) for X, _ in test_iter], axis=0).numpy()
