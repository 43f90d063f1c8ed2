# %% imports
import numpy as np

from alexbook import data
from alexbook import tensorflow as d2l

# %% batch tags=["nbval-check-output"]
X, y = next(iter(train_iter))  # (128, 224, 224, 1), (128,): batch, height, width, channel
pixels = X.numpy()
print("images", pixels.shape, pixels.dtype, f"from {pixels.min():.1f} to {pixels.max():.1f}")
print("labels", tuple(y.shape), f"from {int(y.numpy().min())} to {int(y.numpy().max())}")
