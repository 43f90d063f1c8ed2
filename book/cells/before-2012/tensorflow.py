# %% imports
import itertools
import time

import numpy as np
from skimage.feature import SIFT, hog
from skimage.transform import rescale
from sklearn.cluster import MiniBatchKMeans
from sklearn.model_selection import GridSearchCV, ShuffleSplit
from sklearn.svm import SVC

from alexbook import data, profiles
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers

# %% lenet
tf.keras.utils.set_random_seed(0)
net = tf.keras.Sequential(  # takes (batch, height, width, channels)
    [
        layers.Input((28, 28, 1)),
        layers.Conv2D(6, kernel_size=5, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=2),  # (batch, 14, 14, 6)
        layers.Conv2D(16, kernel_size=5, activation="relu"),
        layers.MaxPool2D(pool_size=2),  # (batch, 5, 5, 16)
        layers.Flatten(),
        layers.Dense(120, activation="relu"),
        layers.Dense(84, activation="relu"),
        layers.Dense(10),
    ]
)


# %% train
def pictures(pixels):
    return tf.reshape(tf.constant(pixels, tf.float32), (-1, 28, 28, 1))


@tf.function(reduce_retracing=True)  # compiles it
def step(optimizer, X, y):
    weights = net.trainable_variables
    with tf.GradientTape() as tape:
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, net(X))
        loss = tf.reduce_mean(losses)
    optimizer.apply(tape.gradient(loss, weights), weights)


def train_lenet(epochs):
    X, y = pictures(features["pixels"][:train]), tf.constant(labels)
    batches = data.Batches("train", batch_size=64, limit=train)
    optimizer = tf.keras.optimizers.Adam(learning_rate=0.001)
    for _ in range(epochs):
        for index in batches.indices():  # a new order in every epoch
            step(optimizer, tf.gather(X, index), tf.gather(y, index))


def answers(pixels):
    return tf.argmax(net(pictures(pixels)), axis=1).numpy()
