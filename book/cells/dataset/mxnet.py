# %% imports
import numpy as np

from alexbook import data
from alexbook import mxnet as d2l

# %% batch tags=["nbval-check-output"]
X, y = next(iter(train_iter))  # (128, 1, 224, 224), (128,): batch, channel, height, width
pixels = X.asnumpy()
print("images", pixels.shape, pixels.dtype, f"from {pixels.min():.1f} to {pixels.max():.1f}")
print("labels", tuple(y.shape), f"from {int(y.min())} to {int(y.max())}")
