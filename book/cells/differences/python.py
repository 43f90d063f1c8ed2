# %% imports
from math import exp
from random import Random

# %% layers tags=["nbval-check-output"]
# name, window, inputs, outputs, positions along a side; a fully connected layer is a window of 1
layers = [
    ("conv1", 11, 1, 96, 54),
    ("conv2", 5, 96, 256, 26),
    ("conv3", 3, 256, 384, 12),
    ("conv4", 3, 384, 384, 12),
    ("conv5", 3, 384, 256, 12),
    ("fc6", 1, 256 * 5 * 5, 4096, 1),
    ("fc7", 1, 4096, 4096, 1),
    ("fc8", 1, 4096, 10, 1),
]
parameters = {name: k * k * n * m + m for name, k, n, m, _ in layers}
macs = {name: k * k * n * m * size * size for name, k, n, m, size in layers}
for name in parameters:
    print(f"{name:<6}{parameters[name]:>11,} parameters{macs[name] / 1e6:>7.1f} M MACs")
print(f"total {sum(parameters.values()):>11,} parameters{sum(macs.values()) / 1e6:>7.1f} M MACs")
assert sum(parameters.values()) == 46_764_746

# %% memory tags=["nbval-check-output"]
pair = parameters["fc6"] + parameters["fc7"]
print(f"fc6 + fc7: {pair:,} parameters of 4 bytes: {pair * 4 / 2**20:.0f} MiB")
print(f"all eight layers: {sum(parameters.values()) * 4 / 2**20:.0f} MiB")
outputs = sum(m * size * size for _, _, _, m, size in layers)
print(f"their outputs for a batch of 128 images: {outputs * 128 * 4 / 2**20:.0f} MiB")

# %% padding tags=["nbval-check-output"]
for padding in (0, 1):
    positions = (224 + 2 * padding - 11) // 4 + 1
    first, last = -padding, -padding + 4 * (positions - 1) + 10
    print(f"padding {padding}: {positions} positions, over pixels {first} to {last} of 0 to 223")
    assert positions == 54

# %% ratios tags=["nbval-check-output"]
print("side of an image:", 224 / 28, "times")
print("channels, first convolution:", 96 / 6, "times; second:", 256 / 16, "times")

# %% imagenet tags=["nbval-check-output"]
images, classes = 1_281_167, 1000
print(f"{images / 1e6:.2f} million images, {images / classes:.0f} a class on average")

# %% crops tags=["nbval-check-output"]
shifts = (256 - 224) ** 2
print(f"{shifts:,} places for the window, mirrored or not: {shifts * 2:,} versions of a photograph")

# %% sigmoid-slope tags=["nbval-check-output"]
for x in (-8, -4, 0, 4, 8):
    sigmoid = 1 / (1 + exp(-x))
    print(f"x = {x:>2}: slope of the sigmoid {sigmoid * (1 - sigmoid):.4f}, of ReLU {int(x > 0)}")
print(f"seven sigmoids in a row: at most {0.25**7:.6f}")

# %% decay tags=["nbval-check-output"]
lr, weight_decay, momentum = 0.01, 5e-4, 0.9
steps = images // 128
shrink = (1 - lr * weight_decay / (1 - momentum)) ** steps
print(f"{steps:,} steps an epoch; a step counts {1 / (1 - momentum):.0f} times over")
print(f"a weight without a gradient keeps {shrink:.0%} of its size in an epoch")

# %% volta tags=["nbval-check-output"]
for clock in (1.455, 1.53):  # GHz: as announced, as sold
    general = 5120 * 2 * clock / 1000  # cores, multiply and add, GHz
    tensor = 640 * 64 * 2 * clock / 1000  # tensor cores, multiply-adds, 2, GHz
    print(f"{clock:.3f} GHz: {general:.1f} TFLOP/s in float32, {tensor:.0f} in tensor cores")

# %% cpu tags=["nbval-check-output"]
# name, cores, vector units a core, float32 in a vector, GHz (first: under load, second: nominal)
processors = [
    ("Xeon E5-2699 v3 (2014)", 18, 2, 8, 1.9),
    ("Xeon Phi 7250   (2016)", 68, 2, 16, 1.4),
]
for name, cores, units, lanes, clock in processors:
    peak = cores * units * lanes * 2 * clock / 1000  # 2: a multiply and an add
    print(f"{name}: {peak:.2f} TFLOP/s in float32")
    assert peak > 1

# %% power tags=["nbval-check-output"]
for exponent, assumption in ((1, "voltage fixed"), (2, "the document"), (3, "voltage as clock")):
    cores = 4**exponent  # each at a quarter of the clock, together as hungry as one fast core
    print(f"power as clock^{exponent} ({assumption}): {cores} cores, {cores // 4} times the speed")


# %% batches tags=["nbval-check-output"]
def cut(order):
    return [frozenset(order[i : i + 10]) for i in range(0, 100, 10)]


random, once, anew = Random(0), set(), set()
for _ in range(5):  # epochs
    once.update(random.sample(cut(range(100)), 10))  # .batch().shuffle()
    anew.update(cut(random.sample(range(100), 100)))  # .shuffle().batch()
print(f"different batches in 5 epochs: {len(once)} if cut first, {len(anew)} if shuffled first")

# %% biases tags=["nbval-check-output"]
for name, k, n, m, _ in layers:
    weight = (6 / (k * k * (n + m))) ** 0.5  # Xavier: the largest weight
    bias = 1 / (k * k * n) ** 0.5  # PyTorch's default: the largest bias
    print(f"{name:<6}weights up to {weight:.4f}, biases up to {bias:.4f}")
