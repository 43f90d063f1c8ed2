# %% clock
def seconds(run):
    wait(run())  # the first one plans, compiles and allocates
    for count in (2**power for power in range(30)):
        start = time.perf_counter()
        for _ in range(count):
            result = run()
        wait(result)
        passed = time.perf_counter() - start
        if passed > 0.2:
            return passed / count


# %% peaks
peaks = {}
for dtype in dtypes:
    n, duration = 64, 0
    while duration < 0.05 and n < 8192:
        n = 2 * n
        duration = seconds(product(n, dtype))
        speed = 2 * n**3 / duration
        peaks[dtype] = max(speed, peaks.get(dtype, 0))
        print(f"{dtype:<9}n = {n:<6}{speed / 1e9:9,.0f} GFLOP/s")

# %% convolution
size = 2 * 16 * 5**2 * 256 * 256 * 28**2  # 16 images, windows of 5, 256 maps of 28 to 256
for dtype in dtypes:
    speed = size / seconds(convolution(dtype, 16, 5, 256, 256, 28))
    peaks[dtype] = max(speed, peaks[dtype])
    print(f"{dtype:<9}convolution {speed / 1e9:7,.0f} GFLOP/s")

# %% bandwidth
for power in range(16, 27, 2):
    count = 2**power
    bandwidth = 3 * 4 * count / seconds(addition(count))  # read a and b, write a
    print(f"two arrays of {4 * count / 2**20:6.2f} MiB: {bandwidth / 1e9:8,.1f} GB/s")

# %% intensity tags=["nbval-check-output"]
layers = {  # window, inputs, outputs, side of the maps it reads, of those it writes
    "conv1": (11, 1, 96, 224, 54),
    "conv2": (5, 96, 256, 26, 26),
    "conv3": (3, 256, 384, 12, 12),
    "conv4": (3, 384, 384, 12, 12),
    "conv5": (3, 384, 256, 12, 12),
    "fc6": (1, 6400, 4096, 1, 1),
    "fc7": (1, 4096, 4096, 1, 1),
    "fc8": (1, 4096, 10, 1, 1),
}
work, intensity = {}, {}  # operations for an image; operations a byte
print(f"{'operations an image':>26}{'a byte, batch 1':>18}{'batch 128':>12}")
for name, (k, n, m, read, written) in layers.items():
    weights = k * k * n * m
    work[name] = 2 * weights * written**2
    for batch in 1, 128:
        moved = 4 * (weights + batch * (n * read**2 + m * written**2))
        intensity[name, batch] = batch * work[name] / moved
    print(f"{name:<5}{work[name]:>21,}{intensity[name, 1]:>18.1f}{intensity[name, 128]:>12.1f}")


# %% limits
def limit(name, batch, dtype="float32"):
    narrower = {"float32": 1, "bfloat16": 2}[dtype]  # half the bytes: twice the operations a byte
    return min(peaks[dtype], narrower * intensity[name, batch] * bandwidth)


ridge = peaks["float32"] / bandwidth
print(f"the ridge is at {ridge:.1f} operations a byte")
for batch in 1, 128:
    waiting = [name for name in layers if intensity[name, batch] < ridge]
    print(f"batch of {batch}: memory limits {', '.join(waiting) or 'none'}")

# %% measured
measured = {dtype: {} for dtype in dtypes}
for dtype, name, batch in itertools.product(dtypes, ["conv2", "conv3", "fc6"], [1, 128]):
    k, n, m, side, _ = layers[name]
    run = convolution(dtype, batch, k, n, m, side) if k > 1 else connected(dtype, batch, n, m)
    speed = measured[dtype][name, batch] = batch * work[name] / seconds(run)
    share = speed / limit(name, batch, dtype)
    print(f"{dtype:<9}{name:<6}batch {batch:3}: {speed / 1e9:9,.1f} GFLOP/s, {share:4.0%} of the limit")

# %% roofline
roofs = {dtype: (peaks[dtype], bandwidth) for dtype in dtypes}
roofs["a GTX 580, on paper"] = 512 * 2 * 1.544e9, 192.4e9
roofline.chart(roofs, intensity, measured["float32"])

# %% paper tags=["nbval-check-output"]
paper = {  # window, inputs that a kernel sees, outputs, side of the maps it writes
    "conv1": (11, 3, 96, 55),
    "conv2": (5, 48, 256, 27),  # half of 96: each card sees its own maps
    "conv3": (3, 256, 384, 13),  # here the cards exchange theirs
    "conv4": (3, 192, 384, 13),
    "conv5": (3, 192, 256, 13),
    "fc6": (1, 256 * 6 * 6, 4096, 1),
    "fc7": (1, 4096, 4096, 1),
    "fc8": (1, 4096, 1000, 1),
}
parameters = sum(k * k * n * m + m for k, n, m, _ in paper.values())
macs = sum(k * k * n * m * side**2 for k, n, m, side in paper.values())
total = 6 * macs * 1_281_167 * 90
print(f"{parameters:,} parameters, {macs:,} multiply-adds for an image")
print(f"{total:.2e} operations for 90 epochs")
assert parameters == 60_965_224

# %% days tags=["nbval-check-output"]
card = 512 * 2 * 1.544e9  # cores, a multiply and an add, clock
days = total / (2 * card) / 86_400
print(f"a card: {card / 1e12:.2f} TFLOP/s; two of them, without a pause: {days:.2f} days")
print(f"in six days {days / 6:.0%} of their peak, in five {days / 5:.0%}")

# %% yours
for dtype, peak in peaks.items():
    print(f"{dtype}: {total / peak / 86_400:,.2f} days at the peak of this machine")

# %% memory tags=["nbval-check-output"]
images = 227**2 * 3  # numbers for one image: itself,
outputs = sum(m * side**2 for _, _, m, side in paper.values())  # what the layers give,
normalized = 96 * 55**2 + 256 * 27**2  # the same after normalization, in two of them,
pooled = 96 * 27**2 + 256 * 13**2 + 256 * 6**2  # and after pooling, in three
state = 3 * parameters  # weights, gradients, momenta
batch = 128 * (images + outputs + normalized + pooled)
for name, numbers in ("weights", parameters), ("with gradients, momenta", state), ("values of 128 images", batch):
    print(f"{name:<24}{4 * numbers / 1e9:.2f} GB")
print(f"all, and gradients of the values: {4 * (state + 2 * batch) / 1e9:.2f} GB of {3 * 2**30 / 1e9:.2f}")
