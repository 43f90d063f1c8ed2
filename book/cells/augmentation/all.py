# %% by-hand
def mirror(image):
    return image[:, ::-1]  # the columns from right to left


def crop(image, top, left, size=28):
    return image[top : top + size, left : left + size]


def set_contrast(image, factor):
    return image.mean() + factor * (image - image.mean())  # 0: grey; 1: as it is


# %% grid
boot = data.load("test")[0][0].astype("float32") / 255  # (28, 28)
padded = numpy.pad(boot, 2, mode="edge")  # (32, 32)
pictures = {"as it is": boot, "mirrored": mirror(boot), "upside down": boot[::-1]}
pictures |= {"crop (0, 4)": crop(padded, 0, 4), "crop (4, 0)": crop(padded, 4, 0)}
pictures |= {"darker": 0.5 * boot, "brighter": numpy.clip(1.5 * boot, 0, 1)}
pictures["less contrast"] = set_contrast(boot, 0.4)
d2l.plt.rcParams["image.cmap"] = "gray"
grid = d2l.show_images(list(pictures.values()), 2, 4, titles=list(pictures), scale=2)
for axes in grid:
    axes.images[0].set_clim(0, 1)  # or each would be stretched from black to white

# %% matrices tags=["nbval-check-output"]
batches = data.Batches("train", batch_size=128, mirror=True, shift=2)
views = batches.views  # (10, 28, 28)
reversing, down, right = views[7], views[1], views[0]
print(reversing[:4, -4:])
by_matrix = {"mirror": boot @ reversing.T, "crop": down @ boot @ right.T}

# %% compare tags=["nbval-check-output"]
by_hand = {"mirror": mirror(boot), "crop": crop(padded, 1, 0)}
by_hand["contrast"] = set_contrast(boot, 0.4)
for others, name in ((by_matrix, "the matrices"), (by_framework, "the framework")):
    for change, picture in others.items():
        difference = abs(picture - by_hand[change]).max()
        print(f"{change:<9}by hand and by {name:<14} differ by {difference:.6f}")
        assert difference < 1e-6

# %% paper tags=["nbval-check-output"]
places = 256 - 224 + 1
print(f"{places} places along a side, {places**2:,} crops")
print(f"with mirror images {2 * places**2:,}, in the paper {2 * 32**2:,}")

# %% shoes
images, labels = data.load("train", images=2_000)
shoes = [images[labels == kind][n] for kind in (5, 7, 9) for n in range(8)]
_ = d2l.show_images(shoes, 3, 8, scale=1.2)


# %% direction
def distance(pictures, mean):
    return ((pictures - mean) ** 2).sum(axis=(1, 2))


facing = []
for kind in range(10):
    kept = images[labels == kind] / 255
    mean = kept.mean(axis=0)  # (28, 28)
    nearer = distance(kept, mean) < distance(kept[:, :, ::-1], mean)
    facing.append(nearer.mean())
assert facing[9] > 0.95  # ankle boots
d2l.set_figsize((5, 3.5))
d2l.plt.bar_label(d2l.plt.barh(data.CLASSES, facing), fmt="%.2f", padding=3)
d2l.plt.axvline(0.5, color="gray", linestyle="--")
d2l.plt.xlim(0, 1.15)
d2l.plt.gca().invert_yaxis()

# %% data
full, quick, smoke = (1_000, 2_000, 40, 5), (1_000, 2_000, 40, 2), (100, 200, 2, 2)
count, held, epochs, seeds = profiles.pick(full=full, quick=quick, smoke=smoke)
images, labels = data.load("train")
images = images / numpy.float32(255)
X, y = images[:count], labels[:count]
X_held, y_held = images[1_000:][:held], labels[1_000:][:held]
print(X.shape, "to learn from,", X_held.shape, "held out")


# %% changes
def mirrored(X, rng):
    heads = rng.random((len(X), 1, 1)) < 0.5
    return numpy.where(heads, X[:, :, ::-1], X)


def upside_down(X, rng):
    heads = rng.random((len(X), 1, 1)) < 0.5
    return numpy.where(heads, X[:, ::-1], X)


def moved(X, rng):
    padded = numpy.pad(X, ((0, 0), (2, 2), (2, 2)), mode="edge")
    places = rng.integers(5, size=(len(X), 2))  # from 0 to 4 each
    return numpy.stack([crop(padded[n], *place) for n, place in enumerate(places)])


def darker(X, rng):
    lights = rng.uniform(1 / 3, 1, size=(len(X), 1, 1))
    return X * lights.astype("float32")


# %% fit
def accuracy(net, X, y):
    return (answers(net, X).argmax(axis=1) == y).mean()


def fit(changes, seed):
    net, rng, history = network(seed), numpy.random.default_rng(seed), []
    step = learner(net)
    for epoch in range(epochs):
        rate = 0.05 * (1 - epoch / epochs)  # falls to 0: see Small
        for batch in rng.permutation(count).reshape(-1, 50):
            pictures = X[batch]
            for change in changes:
                pictures = change(pictures, rng)
            step(pictures, y[batch], rate)
        history.append((accuracy(net, X, y), accuracy(net, X_held, y_held)))
    return net, history


# %% runs
kinds = {"nothing": [], "mirrored": [mirrored], "moved": [moved]}
kinds |= {"both": [mirrored, moved], "darker": [darker]}
kinds["upside down"] = [upside_down]
runs = {}
for kind, changes in kinds.items():
    runs[kind] = [fit(changes, seed) for seed in range(seeds)]

# %% table
print("changed       train acc  validation acc  varies by    gap")
for kind, fits in runs.items():
    train, new = numpy.array([history[-1] for _, history in fits]).T
    print(f"{kind:<12}{train.mean():11.3f}{new.mean():16.3f}", end="")
    print(f"{new.std(ddof=1):11.3f}{(train - new).mean():7.3f}")

# %% curves
curves = {}
for kind in "nothing", "moved":
    means = numpy.mean([history for _, history in runs[kind]], axis=0)  # (epochs, 2)
    curves[f"train acc, {kind}"], curves[f"validation acc, {kind}"] = means.T
x, lines = numpy.arange(1, epochs + 1), list(curves.values())
d2l.plot(x, lines, "epoch", "accuracy", list(curves), ylim=(0.5, 1), figsize=(6, 4))

# %% crossed
exams = {"as it is": X_held, "mirrored": X_held[:, :, ::-1]}
exams["moved"] = moved(X_held, numpy.random.default_rng(0))
exams |= {"darker": X_held / 3, "upside down": X_held[:, ::-1]}
print("trained on  " + "".join(f"{exam:>12}" for exam in exams))
for kind, fits in runs.items():
    shares = []
    for each in exams.values():
        shares.append(numpy.mean([accuracy(net, each, y_held) for net, _ in fits]))
    print(f"{kind:<12}" + "".join(f"{share:12.3f}" for share in shares))


# %% averages
def odds(net, X):
    scores = answers(net, X)  # (n, 10)
    powers = numpy.exp(scores - scores.max(axis=1, keepdims=True))  # at most 1
    return powers / powers.sum(axis=1, keepdims=True)


padded = numpy.pad(X_held, ((0, 0), (2, 2), (2, 2)), mode="edge")  # (n, 32, 32)
places = (2, 2), (0, 0), (0, 4), (4, 0), (4, 4)  # the centre and the corners
crops = [padded[:, top : top + 28, left : left + 28] for top, left in places]
print("trained on   one picture  and its mirror  five crops     ten")
for kind, fits in runs.items():
    shares = []
    for net, _ in fits:
        five = [odds(net, each) for each in crops]
        mirrors = [odds(net, each[:, :, ::-1]) for each in crops]
        means = five[0], five[0] + mirrors[0], sum(five), sum(five + mirrors)
        shares.append([(mean.argmax(axis=1) == y_held).mean() for mean in means])
    one, two, fifth, tenth = numpy.mean(shares, axis=0)
    print(f"{kind:<12}{one:12.3f}{two:16.3f}{fifth:12.3f}{tenth:8.3f}")
