# %% imports
import filecmp
import math
import tempfile

from alexbook import tensorflow as d2l
from alexbook import weights
import numpy
from safetensors.numpy import save_file
import tensorflow as tf
from tensorflow.keras import layers

# Else newer GPUs would keep three digits of the seven that float32 has
tf.config.experimental.enable_tensor_float_32_execution(False)


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


# %% load
net = net()  # from here on a network, no longer the function that makes one
net(images.transpose(0, 2, 3, 1))  # the first batch decides the shapes
weights.load(net, path)


# %% logits tags=["nbval-check-output"]
def answers(images):
    return net(images.transpose(0, 2, 3, 1), training=False).numpy()  # no dropout


print(answers(images)[0])

# %% gradients
with tf.GradientTape() as tape:
    logits = net(images.transpose(0, 2, 3, 1), training=False)
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
kernels = [layer.kernel for layer in net.layers if layer.weights]
gradients = [gradient.numpy() for gradient in tape.gradient(loss, kernels)]
for name, gradient in zip(shapes, gradients, strict=True):
    print(f"{name:<5} {numpy.linalg.norm(gradient.astype('float64')):#.3g}")
