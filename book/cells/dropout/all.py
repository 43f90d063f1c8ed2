# %% data
full, quick, smoke = (1_000, 2_000, 40, 10), (1_000, 2_000, 40, 3), (200, 200, 25, 2)
images, tested, epochs, seeds = profiles.pick(full=full, quick=quick, smoke=smoke)
X, y = data.load("train", images=images)
X_test, y_test = (half[:tested] for half in data.load("test"))
X, X_test = (numpy.float32(each.reshape(-1, 784) / 255) for each in (X, X_test))
print(X.shape, "to learn from,", X_test.shape, "to test on")


# %% fit
def fit(p, labels, seed):
    net, rng, history = network(p, seed), numpy.random.default_rng(seed), []
    step = learner(net)
    for epoch in range(epochs):
        rate = 0.05 * (1 - epoch / epochs)  # falls to 0: see Small
        for batch in rng.permutation(images).reshape(-1, 50):
            step(X[batch], labels[batch], rate)
        learned = answers(net, X).argmax(axis=1) == labels  # evaluation mode
        history.append((learned, answers(net, X_test).argmax(axis=1) == y_test))
    return net, history


# %% runs
rng = numpy.random.default_rng(0)
false = rng.random(images) < 0.25
other = (y + rng.integers(1, 10, images)) % 10  # never the true one
kinds = {"all true": y, "a quarter false": numpy.where(false, other, y)}
runs = {}
for kind, labels in kinds.items():
    for p in 0, 0.5:
        runs[kind, p] = [fit(p, labels, seed) for seed in range(seeds)]


# %% table
def test_loss(net):
    logits = answers(net, X_test)
    right = logits[numpy.arange(len(y_test)), y_test]
    return (numpy.log(numpy.exp(logits).sum(axis=1)) - right).mean()


print("labels            p  train acc  test acc  varies by    gap  test loss")
for (kind, p), fits in runs.items():
    last = [[share.mean() for share in history[-1]] for _, history in fits]
    train, test = numpy.array(last).T  # a number for each seed
    loss = numpy.mean([test_loss(net) for net, _ in fits])
    print(f"{kind:<16}{p:>3}{train.mean():11.3f}{test.mean():10.3f}", end="")
    print(f"{test.std(ddof=1):11.3f}{(train - test).mean():7.3f}{loss:11.3f}")

# %% curves
curves = {}
for p, name in ((0, "without"), (0.5, "with")):
    repeated, hits = [], []
    for _, history in runs["a quarter false", p]:
        repeated.append([learned[false].mean() for learned, _ in history])
        hits.append([hit.mean() for _, hit in history])
    curves[f"false labels learned, {name}"] = numpy.mean(repeated, axis=0)
    curves[f"test accuracy, {name}"] = numpy.mean(hits, axis=0)
x, lines = numpy.arange(1, epochs + 1), list(curves.values())
names = [f"{name} dropout" for name in curves]
d2l.plot(x, lines, "epoch", "share", names, ylim=(0, 1), figsize=(6, 4))
assert lines[2][-1] < lines[0][-1]  # dropout: fewer false labels learned

# %% early
without, dropped = curves["test accuracy, without"], curves["test accuracy, with"]
print(f"without dropout, best epoch ({without.argmax() + 1}): {without.max():.3f}")
print(f"with dropout, last epoch ({epochs}): {dropped[-1]:.3f}")

# %% forgotten
net = runs["all true", 0.5][0][0]
print("accuracy on       evaluation mode  training mode")
kinds = {"training images": (X, y), "test images": (X_test, y_test)}
for name, (each, labels) in kinds.items():
    modes = [answers(net, each, mode).argmax(axis=1) for mode in (False, True)]
    evaluation, training = ((guesses == labels).mean() for guesses in modes)
    print(f"{name:<16}{evaluation:17.3f}{training:15.3f}")
first, second = (answers(net, X_test, True).argmax(axis=1) for _ in range(2))
changed = (first != second).mean()
print(f"asked twice in training mode: another answer to {changed:.3f} of the images")
assert numpy.array_equal(answers(net, X_test), answers(net, X_test))

# %% average
odds = 0
for asked in range(1, 51):
    powers = numpy.exp(answers(net, X_test, training=True))  # (tested, 10)
    odds = odds + powers / powers.sum(axis=1, keepdims=True)
    if asked in (1, 2, 5, 10, 50):
        share = (odds.argmax(axis=1) == y_test).mean()
        print(f"mean of {asked:>2} thinned networks: {share:.3f}")
share = (answers(net, X_test).argmax(axis=1) == y_test).mean()
print(f"the whole network, once:   {share:.3f}")
