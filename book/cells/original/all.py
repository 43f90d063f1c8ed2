# %% traffic tags=["nbval-check-output"]
inputs = {"conv2": 27 * 27 * 96, "conv3": 13 * 13 * 256, "conv4": 13 * 13 * 384}
inputs |= {"conv5": 13 * 13 * 384, "fc6": 6 * 6 * 256, "fc7": 4096, "fc8": 4096}
crossing = {name: inputs[name] for name in ("conv3", "fc6", "fc7")}
crossing["fc8"] = inputs["fc8"] // 2
print(f"{'layer':<7}{'input':>8}{'crosses':>9}")
for name, count in inputs.items():
    print(f"{name:<7}{count:>8,}{crossing.get(name, 0):>9,}")
print(f"total  {sum(inputs.values()):>8,}{sum(crossing.values()):>9,}")
megabytes = sum(crossing.values()) * 4 * 128 / 1e6  # float32, batches of 128
print(f"{megabytes:.0f} MB for a batch")


# %% lrn-by-hand tags=["nbval-check-output"]
def normalized(a, k=2, n=5, alpha=1e-4, beta=0.75):  # a channel each
    squares = numpy.pad(a**2, n // 2)
    sums = sum(squares[shift : shift + len(a)] for shift in range(n))
    return a / (k + alpha * sums) ** beta


def row(label, values):
    print(f"{label:<13}", *(f"{value:6.2f}" for value in values))


a = numpy.array([10, 10, 10, 10, 500, 10, 10, 10, 10], dtype="float32")
b = normalized(a)
row("a", a)
row("b", b)

# %% savings tags=["nbval-check-output"]
macs = {}
for name, (count, biases, values) in table.items():
    macs[name] = values * (count // biases)
twice = {"conv2", "conv4", "conv5"}  # whose sums would have twice the terms
more = sum(table[name][0] for name in twice), sum(macs[name] for name in twice)
print(f"{'':<12}{'parameters':>12}{'multiply-adds':>16}")
print(f"two groups  {total:>12,}{sum(macs.values()):>16,}")
print(f"one group   {total + more[0]:>12,}{sum(macs.values()) + more[1]:>16,}")

# %% pictures
names = ["astronaut", "chelsea", "coffee", "rocket"]
pictures = [getattr(skimage.data, name)() for name in names]  # bytes, (…, …, 3)
_ = d2l.show_images(pictures, 1, 4, scale=2)

# %% center
pixels = [picture.reshape(-1, 3) for picture in pictures]
pixels = numpy.concatenate(pixels)  # (number of pixels, 3)
cat = pictures[1][40:267, 90:317]  # (227, 227, 3)
image = (cat - pixels.mean(axis=0)).astype("float32")
image = image.transpose(2, 0, 1)[None]  # (1, 3, 227, 227)

# %% one-set-of-weights
sizes = {"conv1": (96, 3, 11, 11), "conv2": (256, 48, 5, 5)}
sizes |= {"conv3": (384, 256, 3, 3), "conv4": (384, 192, 3, 3)}
sizes |= {"conv5": (256, 192, 3, 3), "fc6": (4096, 9216)}
sizes |= {"fc7": (4096, 4096), "fc8": (1000, 4096)}
rng, arrays = numpy.random.default_rng(0), {}
for name, size in sizes.items():
    arrays[f"{name}.weight"] = rng.standard_normal(size, dtype="float32")
    arrays[f"{name}.weight"] *= math.sqrt(2 / math.prod(size[1:]))
    arrays[f"{name}.bias"] = rng.standard_normal(size[0], dtype="float32")
folder = tempfile.TemporaryDirectory()
save_file(arrays, f"{folder.name}/original.safetensors")

# %% principal-components
scaled = pixels / 255  # from 0 to 1
covariance = numpy.cov(scaled.T)  # (3, 3)
variances, directions = numpy.linalg.eigh(covariance)  # (3,), (3, 3): columns
assert numpy.allclose(directions * variances @ directions.T, covariance)
variances, directions = variances[::-1], directions[:, ::-1]  # largest first
directions = directions * numpy.sign(directions[0])  # more red, not less
for variance, direction in zip(variances, directions.T, strict=True):
    row(f"{variance:.4f} {variance / variances.sum():6.1%}", direction)


# %% recolour
def recolour(picture, amounts):  # how far to go along each direction
    return numpy.clip(picture / 255 + directions @ amounts, 0, 1)


assert numpy.allclose(recolour(cat, 0 * variances), cat / 255)
alphas = numpy.array([[0.2, 0, 0], [-0.2, 0, 0], [0, 0.2, 0], [0, -0.2, 0]])
views = []
for scale in (variances, numpy.sqrt(variances), 255 * variances):
    views += [cat / 255, *(recolour(cat, alpha * scale) for alpha in alphas)]
_ = d2l.show_images(views, 3, 5, scale=1.5)

# %% cleanup
folder.cleanup()
