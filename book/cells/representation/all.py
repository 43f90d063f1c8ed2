# %% plan
full = {"images": 60_000, "batch size": 128, "epochs": 10, "momentum": 0}
quick = {"images": 4096, "batch size": 32, "epochs": 1, "momentum": 0.9}
on_gpu = d2l.num_gpus() > 0
plan = profiles.pick(full=full, quick=quick, smoke=quick | {"images": 128}, accelerator=on_gpu)

# %% loader
batch_size, amounts = plan["batch size"], (plan["images"], 10_000)
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size, resize=224, images=amounts)
images, labels = test_iter.images[:1024] / 255, test_iter.labels[:1024]  # to ask about


# %% ask
def ask(net):
    peaks, places, vectors = (defaultdict(list) for _ in range(3))
    for X, _ in itertools.islice(test_iter, 1024 // batch_size):
        for name, said in look(net, X).items():
            if name.startswith("conv"):  # the largest answer of each channel, and where
                maps = said.reshape(*said.shape[:2], -1)  # (batch, channels, places)
                peaks[name].append(maps.max(axis=2))
                places[name].append(maps.argmax(axis=2))
            else:
                vectors[name].append(said.reshape(len(said), -1))
    collected = peaks, places, vectors
    return [{name: np.concatenate(parts) for name, parts in kind.items()} for kind in collected]


# %% before
peaks_before, _, vectors_before = ask(fresh)
start = filters(fresh)  # (96, 11, 11)

# %% visible tags=["nbval-check-output"]
A = data.resize_matrix(224)  # (224, 28): A X A^T enlarges an image X
lines = np.hstack([A[first : first + 11] for first in range(0, 214, 4)])  # (11, 54 * 28)
directions = np.linalg.matrix_rank(lines)
print(f"a line of 11 pixels: {directions} directions of 11")
print(f"a window of 11 x 11 pixels: {directions**2} directions of {11 * 11}")


# %% project
basis = np.linalg.svd(lines)[0][:, :directions]  # (11, 4)
P = basis @ basis.T


def visible(kernels):  # the part of each kernel that an enlarged image can meet
    return P @ kernels @ P


# %% confirm tags=["nbval-check-output"]
window = (A @ images[0] @ A.T)[100:111, 100:111]
whole, part = ((kernels * window).sum(axis=(1, 2)) for kernels in (start, visible(start)))
assert abs(whole).max() > 0.001  # there is something in this window
print(f"the 96 answers differ by at most {abs(whole - part).max():.6f}")

# %% train
lr, num_epochs, device = 0.01, plan["epochs"], d2l.try_gpu()
recipe = d2l.Recipe(momentum=plan["momentum"])
history = d2l.train_ch6(net, train_iter, test_iter, num_epochs, lr, device, recipe=recipe)

# %% after
peaks, places, vectors = ask(history.net)
trained = filters(history.net)  # (96, 11, 11)


# %% gabor
def gabor(frequency, angle, phase):  # periods in a pixel, and two angles
    kernel = gabor_kernel(frequency, theta=angle, offset=phase).real
    row, column = (side // 2 for side in kernel.shape)  # its middle
    return kernel[row - 5 : row + 6, column - 5 : column + 6]


# %% bank
angles, phases = np.arange(8) * np.pi / 8, np.arange(4) * np.pi / 4
kinds = itertools.product((0.1, 0.15, 0.25), angles, phases)
gabors = np.array([gabor(*kind) for kind in kinds])  # (96, 11, 11)


# %% mosaic
def mosaic(kernels):  # 8 rows of 12 kernels, each with its own contrast
    sizes = abs(kernels).max(axis=(1, 2), keepdims=True) + 1e-12
    framed = np.pad(kernels / sizes, ((0, 0), (0, 1), (0, 1)), constant_values=np.nan)
    return framed.reshape(8, 12, 12, 12).swapaxes(1, 2).reshape(96, 144)


# %% filters
panels = {"start": start, "trained": trained}
panels |= {f"{name}, visible part": visible(kernels) for name, kernels in panels.items()}
panels |= {"what training changed": trained - start, "Gabor filters": gabors}
d2l.use_svg_display()
d2l.plt.rcParams.update({"image.cmap": "gray", "image.interpolation": "none"})
pictures = [mosaic(kernels) for kernels in panels.values()]
_ = d2l.show_images(pictures, 3, 2, titles=list(panels), scale=4)
d2l.plt.gcf().set_size_inches(8, 9)
d2l.plt.tight_layout()


# %% length
def length(kernels):  # mean over the kernels
    return np.linalg.norm(kernels, axis=(1, 2)).mean()


# %% moved
change = trained - start
print(f"{'length':<18}{'start':>8}{'change':>9}")
for name, part in ("visible part", visible), ("the other part", lambda k: k - visible(k)):
    print(f"{name:<18}{length(part(start)):8.4f}{length(part(change)):9.4f}")
assert length(change - visible(change)) < 0.2 * length(change)


# %% likeness
def likeness(kernels):  # of each kernel to the Gabor filter most like it, from 0 to 1
    rows = np.concatenate([kernels, gabors]).reshape(192, 121)
    return abs(np.corrcoef(rows)[:96, 96:]).max(axis=1)


# %% alike
parts = {"whole filters": lambda kernels: kernels, "visible parts": visible}
likenesses = {name: [likeness(part(k)) for k in (start, trained)] for name, part in parts.items()}
print(f"{'':<14}{'start':>7}{'trained':>9}")
for name, (before, after) in likenesses.items():
    print(f"{name:<14}{before.mean():7.2f}{after.mean():9.2f}")

# %% histogram
_, axes = d2l.plt.subplots(1, 2, figsize=(8, 3), sharey=True)
for axis, (name, pair) in zip(axes, likenesses.items(), strict=True):
    axis.hist(pair, bins=np.linspace(0, 1, 21), label=["start", "trained"])
    axis.set(title=name, xlabel="likeness to a Gabor filter")
axes[0].set_ylabel("filters")
_ = axes[0].legend()

# %% chain
names = ["conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5"]
windows, strides, paddings = (11, 3, 5, 3, 3, 3, 3), (4, 2, 1, 2, 1, 1, 1), (0, 0, 2, 0, 1, 1, 1)

# %% fields tags=["nbval-check-output"]
size, step, first = 1, 1, 0  # of a pixel itself
fields = {}
for name, window, stride, padding in zip(names, windows, strides, paddings, strict=True):
    size, first, step = size + (window - 1) * step, first - padding * step, step * stride
    fields[name] = size, step, first
    print(f"{name}: {size:3} pixels wide, {step:2} apart, the first from {first:3}")


# %% patch
def patch(layer, channel, image):  # what the channel looked at when it answered most
    size, step, first = fields[layer]
    row, column = divmod(places[layer][image, channel], 54 if layer == "conv1" else 12)
    top, left = (size + first + step * place for place in (row, column))
    picture = np.pad(A @ images[image] @ A.T, size)  # black outside
    return picture[top : top + size, left : left + size]


# %% patches
often = {name: (peak > 0).sum(axis=0) for name, peak in peaks.items()}  # images it answers to
rows = [(name, k) for name in often for k in np.flatnonzero(often[name] >= 9)[:3]]
best = {(name, k): np.argsort(-peaks[name][:, k])[:7] for name, k in rows}
shown = [patch(*row, image) for row in rows for image in best[row]]
axes = d2l.show_images(shown, len(rows), 7, scale=1.2)
for axis in axes:
    axis.images[0].set_clim(0, 1)  # the same black and the same white in all
for axis, (name, k) in zip(axes[::7], rows, strict=True):
    axis.text(-0.1, 0.5, f"{name}, {k}", transform=axis.transAxes, ha="right", va="center")


# %% agreement
def agreement(peaks):  # of nine favourite images, the share in their commonest class
    alive = peaks[:, (peaks > 0).sum(axis=0) >= 9]  # (images, channels)
    nines = labels[np.argsort(-alive, axis=0)[:9]]  # (9, channels)
    return np.mean([np.bincount(nine).max() / 9 for nine in nines.T])


# %% agree
by_lot = agreement(np.random.default_rng(0).random((len(labels), 1000)))
print(f"images by lot: {by_lot:.2f}")
print(f"{'':<6}{'start':>7}{'trained':>9}")
for name in peaks:
    print(f"{name:<6}{agreement(peaks_before[name]):7.2f}{agreement(peaks[name]):9.2f}")

# %% map
pixels = images.reshape(len(images), 784)
spaces = {"pixels": pixels, "hidden, start": vectors_before["hidden"]}
spaces["hidden, trained"] = vectors["hidden"]
_, axes = d2l.plt.subplots(1, 3, figsize=(10, 4))
for axis, (name, numbers) in zip(axes, spaces.items(), strict=True):
    pca = PCA(2, random_state=0)
    points = pca.fit_transform(numbers)  # (images, 2)
    for kind, word in enumerate(data.CLASSES):
        axis.scatter(*points[labels == kind].T, s=5, color=f"C{kind}", label=word)
    axis.set(title=f"{name} ({pca.explained_variance_ratio_.sum():.0%})", xticks=[], yticks=[])
_ = axes[1].legend(loc="upper center", bbox_to_anchor=(0.5, 0), ncols=5, markerscale=3)


# %% share
def share(numbers):  # of images whose nearest neighbour, not counting themselves, is of their class
    nearest = NearestNeighbors(n_neighbors=1).fit(numbers).kneighbors()[1][:, 0]
    return (labels[nearest] == labels).mean()


# %% neighbours
print(f"{'':<8}{'numbers':>8}{'start':>8}{'trained':>9}")
print(f"{'pixels':<8}{784:8}{share(pixels):8.3f}")
before, after = vectors_before | peaks_before, vectors | peaks
for name in "conv5", "pool5", "hidden":
    shares = f"{share(before[name]):8.3f}{share(after[name]):9.3f}"
    print(f"{name:<8}{after[name].shape[1]:8}{shares}")
assert share(after["hidden"]) > 0.3  # guessing: 0.1
