# %% imports
import itertools
from collections import defaultdict

import numpy as np
from skimage.filters import gabor_kernel
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from alexbook import data, profiles
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


# %% start
fresh, seeds = net(), tf.keras.random.SeedGenerator(0)
fresh.build((None, 224, 224, 1))
for layer in fresh.layers:
    if layer.weights:
        layer.kernel.assign(tf.keras.initializers.GlorotUniform(seeds)(layer.kernel.shape))
        layer.bias.assign(tf.zeros(layer.bias.shape))


# %% first-layer
def filters(net):  # of the first layer: (11, 11, 1, 96) becomes (96, 11, 11)
    return net.layers[0].kernel.numpy()[:, :, 0].transpose(2, 0, 1).copy()


# %% look
wanted = {0: "conv1", 4: "conv3", 6: "conv5", 7: "pool5", 11: "hidden"}


def look(net, X):  # what these layers say to the images X
    said = {}
    for place, layer in enumerate(net.layers):
        X = layer(X)
        if place in wanted:  # channels first, as in the other frameworks
            said[wanted[place]] = np.moveaxis(tf.cast(X, tf.float32).numpy(), -1, 1)
    return said
