# %% sizes
images, labels = data.load("train")
sizes = profiles.pick(
    full=[100, 300, 1000, 3000, 10_000, 30_000, 60_000],
    quick=[100, 300, 1000, 3000, 10_000],
    smoke=[100, 200, 400],
)
sizes = [n for n in sizes if n <= len(labels)]  # the bundled sample has 2,000
tests = profiles.pick(full=10_000, quick=2000, smoke=256)
test_images, test_labels = (array[:tests] for array in data.load("test"))


# %% draw
def draw(n, seed):  # which n of the training images
    return np.random.default_rng(seed).permutation(max(sizes))[:n]


def seeds(n):
    return range(3) if n < max(sizes) else range(1)  # all of them: nothing to draw


# %% hog tags=["nbval-check-output"]
def features(images):
    cells = {"orientations": 9, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
    return np.array([hog(image, **cells) for image in images])


print(images[0].size, "pixels become", features(images[:1]).size, "numbers")

# %% svm
H, H_test = features(images[: max(sizes)]), features(test_images)


def classify(chosen):
    machine = SVC(C=10).fit(H[chosen], labels[chosen])
    return machine.score(H_test, test_labels)


svm = {n: [classify(draw(n, seed)) for seed in seeds(n)] for n in sizes}

# %% plan
steps = profiles.pick(full=8000, quick=1000, smoke=30)


def plan(chosen, seed):  # for each step: its rate, and which images it sees
    random = np.random.default_rng(seed)
    passes = -(-steps * 64 // len(chosen))  # rounded up
    order = np.concatenate([random.permutation(chosen) for _ in range(passes)])
    return zip(np.linspace(0.002, 0, steps), order[: steps * 64].reshape(steps, 64), strict=True)


# %% cnn
cnn = {n: [accuracy(train(draw(n, seed), seed)) for seed in seeds(n)] for n in sizes}

# %% table
print(f"{'images':>6}{'passes':>8}   {'HOG + SVM':<24}CNN")
for n in sizes:
    print(f"{n:6,}{steps * 64 / n:8.1f}", end="")
    for of in (svm, cnn):
        print(f"   {np.mean(of[n]):.3f} ({min(of[n]):.3f} to {max(of[n]):.3f})", end="")
    print()
assert min(svm[max(sizes)] + cnn[max(sizes)]) > 0.3  # guessing gives 0.1

# %% curves
curves = {"HOG + SVM": svm, "CNN": cnn}
means = {name: [np.mean(of[n]) for n in sizes] for name, of in curves.items()}
look = {"xlabel": "training images", "xscale": "log", "fmts": ("o-", "s--")}
look |= {"legend": list(curves), "figsize": (5, 3.5)}
d2l.plot(sizes, list(means.values()), ylabel="test accuracy", **look)
for of in curves.values():
    lowest, highest = ([end(of[n]) for n in sizes] for end in (min, max))
    d2l.plt.fill_between(sizes, lowest, highest, alpha=0.3)

# %% crossing
for seed in range(3):
    pairs = [(cnn[n][seed % len(cnn[n])], svm[n][seed % len(svm[n])]) for n in sizes]
    lead = np.array([network - machine for network, machine in pairs])
    crossings = []
    for i in np.flatnonzero(lead[:-1] * lead[1:] < 0):
        share = lead[i] / (lead[i] - lead[i + 1])  # of the way to the next size
        crossings.append(f"{sizes[i] * (sizes[i + 1] / sizes[i]) ** share:,.0f}")
    print(f"draw {seed}, crossing at:", ", ".join(crossings) or "none")

# %% law
for name, accuracies in means.items():
    errors = 1 - np.array(accuracies)
    slope, height = np.polyfit(np.log(sizes[:-1]), np.log(errors[:-1]), 1)
    foreseen = np.exp(height + slope * np.log(sizes[-1]))
    print(f"{name}: error like n^{slope:.2f}, halved by {2 ** (-1 / slope):.0f} times as many")
    print(f"  {sizes[-1]:,} images: foreseen {foreseen:.3f}, measured {errors[-1]:.3f}")

# %% errors
errors = [1 - np.array(accuracies) for accuracies in means.values()]
d2l.plot(sizes, errors, ylabel="test error", yscale="log", **look)

# %% history
collections = {  # images, year
    "zip codes": (9298, 1989),
    "MNIST": (70_000, 1998),
    "Caltech-101": (9000, 2004),
    "Caltech-256": (30_607, 2007),
    "Tiny Images": (79_302_017, 2008),
    "CIFAR-10": (60_000, 2009),
    "ImageNet 2009": (3_200_000, 2009),
    "PASCAL VOC": (10_103, 2010),
    "ILSVRC-2012": (1_431_167, 2012),
}
d2l.set_figsize((6, 3.5))
for name, (count, year) in collections.items():
    d2l.plt.semilogy(year, count, "o", color="C0")
    d2l.plt.text(year + 0.4, count, name, va="center", fontsize="small")
d2l.plt.xlim(1987, 2020)
_ = d2l.plt.ylabel("images")

# %% uneven tags=["nbval-check-output"]
total, largest = 1_281_167, 1300
missing = 1000 * largest - total
print(f"{total / 1000:.0f} images in a class, on average")
print(f"{missing:,} more would fill every class to {largest}")
print(f"at most {missing // 301} classes lack more than 300")

# %% bytes tags=["nbval-check-output"]
training = {  # images · height · width · channels, one byte each
    "zip codes": 7291 * 16 * 16,
    "MNIST": 60_000 * 28 * 28,
    "CIFAR-10": 50_000 * 32 * 32 * 3,
    "ILSVRC-2012": 1_281_167 * 256 * 256 * 3,
}
for name, count in training.items():
    times = count / training["MNIST"]
    print(f"{name:<12}{count / 1e6:10,.1f} MB, {times:8,.2f} times MNIST")
