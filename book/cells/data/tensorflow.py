# %% imports
import numpy as np
from skimage.feature import hog
from sklearn.svm import SVC

from alexbook import data, profiles
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras.losses import sparse_categorical_crossentropy as cross_entropy


# %% model
def network():
    stack = [
        layers.Input((28, 28, 1)),  # height, width, channels
        layers.Conv2D(16, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=2, strides=2),  # (batch, 14, 14, 16)
        layers.Conv2D(32, kernel_size=3, padding="same", activation="relu"),
        layers.MaxPool2D(pool_size=2, strides=2),  # (batch, 7, 7, 32)
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% train
X = tf.constant(images[: max(sizes)] / 255, tf.float32)[..., None]
y = tf.constant(labels[: max(sizes)])


def train(chosen, seed):
    tf.keras.utils.set_random_seed(seed)
    net, optimizer = network(), tf.keras.optimizers.Adam()

    @tf.function
    def step(X, y):
        with tf.GradientTape() as tape:
            losses = cross_entropy(y, net(X, training=True), from_logits=True)
            loss = tf.reduce_mean(losses)
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply(gradients, net.trainable_variables)

    for rate, batch in plan(chosen, seed):
        optimizer.learning_rate.assign(rate)
        step(tf.gather(X, batch), tf.gather(y, batch))
    return net


# %% accuracy
X_test = tf.constant(test_images / 255, tf.float32)[..., None]


def accuracy(net):
    # The test images in pieces, which fit into memory
    pieces = [X_test[start : start + 1000] for start in range(0, len(X_test), 1000)]
    guesses = tf.concat([tf.argmax(net(X), axis=1) for X in pieces], axis=0)
    return (guesses.numpy() == test_labels).mean()
