# %% recipes
better = d2l.Recipe(momentum=0.9, warmup=0.2, label_smoothing=0.1)
plans = [("D2L's", d2l.Recipe(), False, 0.01), *(("better", better, True, lr) for lr in (0.005, 0.01, 0.02))]

# %% try
accuracies = {}
for name, recipe, mirror, lr in plans:
    loaders = d2l.load_data_fashion_mnist(batch_size, resize=224, mirror=mirror, held_out=0.1, images=images)
    history = d2l.train_ch6(net, *loaders, trial, lr, d2l.try_gpu(), recipe=recipe, quiet=True)
    accuracies[name, lr] = history.test_acc[-1]

# %% choice
for (name, lr), accuracy in accuracies.items():
    print(f"{name:<8} recipe, rate {lr:<6}: validation accuracy {accuracy:.4f}")
best = max((0.005, 0.01, 0.02), key=lambda lr: accuracies["better", lr])
print("chosen:", best)

# %% final
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size, resize=224, mirror=True, images=images)
runs, votes = [], []
for seed in range(3):
    runs.append(
        d2l.train_ch6(net, train_iter, test_iter, epochs, best, d2l.try_gpu(), seed=seed, recipe=better, quiet=True)
    )
    votes.append(probabilities(runs[-1].net))  # before the next seed makes other weights

# %% result
for history in runs:
    minutes = sum(history.seconds) / 60
    print(f"seed {history.seed}: test accuracy {history.test_acc[-1]:.4f}, {minutes:.1f} minutes")
finals = [history.test_acc[-1] for history in runs]
print(f"mean {statistics.mean(finals):.4f}, standard deviation {statistics.stdev(finals):.4f}")

# %% curves
xs = list(range(1, len(runs[0]) + 1))
ys = [accuracies for history in runs for accuracies in (history.train_acc, history.test_acc)]
look = {"legend": ["train", "test"], "xlabel": "epoch", "ylabel": "accuracy", "figsize": (5, 3.5)}
d2l.plot(xs, ys, fmts=("b--", "r-") * len(runs), **look)

# %% vote
labels = test_iter.labels
joint = sum(votes) / len(votes)  # (images, 10)
print(f"the three together: {(joint.argmax(axis=1) == labels).mean():.4f}")

# %% mistakes tags=["wide"]
answers = joint.argmax(axis=1)
wrong = [number for number in (-joint.max(axis=1)).argsort() if answers[number] != labels[number]][:18]
titles = [f"{data.CLASSES[labels[number]]}\n{data.CLASSES[answers[number]]}" for number in wrong]
d2l.plt.rcParams["image.cmap"] = "gray"
_ = d2l.show_images(test_iter.images[wrong], 2, len(wrong) // 2, titles=titles, scale=1.4)
d2l.plt.tight_layout()
