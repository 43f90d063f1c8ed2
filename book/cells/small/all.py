# %% work tags=["nbval-check-output"]
maps = [(28, 1, 32), (14, 32, 64), (7, 64, 128)]  # side of a map, channels in, channels out
products = sum(side**2 * 3**2 * inputs * outputs for side, inputs, outputs in maps) + 1152 * 256 + 256 * 10
print(f"{products / 1e6:.1f} million multiply-adds for an image")
print(f"{938_146_176 / products:.0f} times as many in AlexNet")

# %% data
train_iter, validation_iter = d2l.load_data_fashion_mnist(batch_size=128, held_out=0.1)
print(len(train_iter.images), "images to train on,", len(validation_iter.images), "to choose by")

# %% views
batches = data.Batches("train", batch_size=128, mirror=True, shift=2)
image = batches.images[0] / 255  # (28, 28)
pictures = [rows @ image @ columns.T for rows in batches.views[:5:2] for columns in batches.views[::2]]
d2l.plt.rcParams["image.cmap"] = "gray"
_ = d2l.show_images(pictures, 3, 5, scale=1.2)

# %% recipes
rolling = {"warmup": 0.2, "momentum": 0.9}
tries = {  # what is new: (mirror, recipe)
    "nothing": (False, d2l.Recipe()),
    "a falling rate": (False, d2l.Recipe(warmup=0.2)),
    "momentum": (False, d2l.Recipe(**rolling)),
    "smooth labels": (False, d2l.Recipe(**rolling, label_smoothing=0.1)),
    "mirrored images": (True, d2l.Recipe(**rolling, label_smoothing=0.1)),
}

# %% try
histories = {}
for name, (mirror, recipe) in tries.items():
    loaders = d2l.load_data_fashion_mnist(128, mirror=mirror, held_out=0.1)
    histories[name] = d2l.train_ch6(net, *loaders, 2, 0.1, d2l.try_gpu(), recipe=recipe, quiet=True)

# %% table
print(f"{'new':<22}{'train acc':>10}{'validation acc':>16}")
for name, history in histories.items():
    print(f"{name:<22}{history.train_acc[-1]:10.3f}{history.test_acc[-1]:16.3f}")

# %% final
train_iter, test_iter = d2l.load_data_fashion_mnist(128, mirror=True)
recipe = d2l.Recipe(**rolling, label_smoothing=0.1)
runs = [
    d2l.train_ch6(net, train_iter, test_iter, 10, 0.1, d2l.try_gpu(), seed=seed, recipe=recipe, quiet=True)
    for seed in range(3)
]

# %% result
for history in runs:
    minutes = sum(history.seconds) / 60
    print(f"seed {history.seed}: test accuracy {history.test_acc[-1]:.4f}, {minutes:.1f} minutes")
accuracies = [history.test_acc[-1] for history in runs]
print(f"mean {statistics.mean(accuracies):.4f}, standard deviation {statistics.stdev(accuracies):.4f}")

# %% classes
hits = [(guesses[labels == number] == number).mean() for number in range(10)]
bars = d2l.plt.barh(data.CLASSES, hits)
d2l.plt.bar_label(bars, fmt="%.3f", padding=3)
d2l.plt.xlim(0, 1.15)
d2l.plt.gca().invert_yaxis()
