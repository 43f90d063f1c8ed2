# %% imports
import numpy

from alexbook import data, profiles
from alexbook import tensorflow as d2l
import tensorflow as tf
from tensorflow.keras import layers

# %% framework
image = tf.constant(boot[..., None])  # (28, 28, 1)
large = tf.constant(padded[..., None])  # (32, 32, 1)
by_framework = {
    "mirror": tf.image.flip_left_right(image),
    "crop": tf.image.crop_to_bounding_box(large, 1, 0, 28, 28),
    "contrast": tf.image.adjust_contrast(image, 0.4),
}
by_framework = {name: each[..., 0].numpy() for name, each in by_framework.items()}

# %% brightness
brighter = tf.image.adjust_brightness(image, 0.5)[..., 0].numpy()
assert numpy.allclose(brighter, boot + 0.5)
for name, place in (("black", boot.argmin()), ("lightest", boot.argmax())):
    print(f"{name}: {boot.flat[place]:.2f} becomes {brighter.flat[place]:.2f}")

# %% random
flip = layers.RandomFlip("horizontal", seed=1)
boots = tf.repeat(image[None], 128, axis=0)  # (128, 28, 28, 1)
one_by_one = tf.stack([flip(each, training=True) for each in boots])
changed = (one_by_one.numpy() != boots.numpy()).any(axis=(1, 2, 3))
print("one by one:", changed.sum(), "of 128 mirrored")

# %% batch
for _ in range(4):
    at_once = flip(boots, training=True)
    changed = (at_once.numpy() != boots.numpy()).any(axis=(1, 2, 3))
    print("the batch:", changed.sum(), "of 128 mirrored")


# %% model
def network(seed):
    tf.keras.utils.set_random_seed(seed)
    stack = [  # takes (batch, 28, 28, 1)
        layers.Input((28, 28, 1)),
        layers.Conv2D(16, kernel_size=3, padding="same"),
        layers.MaxPool2D(pool_size=2, strides=2),
        layers.ReLU(),
        layers.Conv2D(32, kernel_size=3, padding="same"),
        layers.MaxPool2D(pool_size=2, strides=2),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10),
    ]
    return tf.keras.Sequential(stack)


# %% learner
def learner(net):
    optimizer = tf.keras.optimizers.SGD(0.05, momentum=0.9)
    cross_entropy = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(optimizer, cross_entropy)

    def step(X, y, rate):
        optimizer.learning_rate = rate
        net.train_on_batch(X[..., None], y)

    return step


# %% answers
def answers(net, X):
    return net(X[..., None]).numpy()
