# %% data
batch_size = 256
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size)


# %% epoch
def train_epoch():
    parts = [(len(y), *step(X, y)) for X, y in train_iter]  # still on the device
    parts = [[float(number) for number in part] for part in parts]  # fetched
    images, loss, hits = (sum(part[place] for part in parts) for place in range(3))
    batch_means = [loss / images for images, loss, _ in parts]
    return batch_means, loss / images, hits / images


def test_accuracy():
    hits = [count_correct(X, y) for X, y in test_iter]
    return sum(map(float, hits)) / len(test_iter.labels)


# %% by-hand
num_epochs = profiles.pick(full=10, quick=20, smoke=1)
curve, train_loss = [], []
train_iter.epoch = 0  # so that a second run of this cell has the same batches
print("epoch   loss  train acc  test acc  seconds")
for epoch in range(1, num_epochs + 1):
    clock = time.perf_counter()
    batch_means, loss, train_acc = train_epoch()
    seconds = time.perf_counter() - clock
    curve += batch_means
    train_loss.append(loss)
    accuracies = f"{train_acc:9.3f}  {test_accuracy():8.3f}"
    print(f"{epoch:5}  {loss:.3f}  {accuracies}  {seconds:7.1f}")
assert all(math.isfinite(loss) for loss in curve)

# %% curve
steps = list(range(1, len(curve) + 1))
d2l.plot(steps, [curve], xlabel="step", ylabel="loss of the batch", figsize=(6, 3))

# %% one-line
loaders, device = (train_iter, test_iter), d2l.try_gpu()
history = d2l.train_ch6(net, *loaders, num_epochs, lr, device, precision="fp32")

# %% compare
print("epoch   by hand  train_ch6")
pairs = zip(train_loss, history.train_loss, strict=False)
for epoch, (ours, theirs) in enumerate(pairs, 1):
    print(f"{epoch:5}  {ours:.6f}   {theirs:.6f}")
assert abs(train_loss[0] - history.train_loss[0]) < 1e-3

# %% against-alexnet tags=["nbval-check-output"]
alexnet = 46_764_746, 938_146_176  # its chapter counts them
for column, what in enumerate(("parameters", "multiply-adds")):
    lenet = sum(counts[column] for counts in table.values())
    times = f"{alexnet[column] / lenet:>7,.0f} times"
    print(f"{what:<14}{lenet:>8,}{alexnet[column]:>13,}{times}")
