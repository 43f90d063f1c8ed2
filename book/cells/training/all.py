# %% loader
batch_size = 128
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size, resize=224)

# %% train
lr, num_epochs = 0.01, 10
history = d2l.train_ch6(net, train_iter, test_iter, num_epochs, lr, d2l.try_gpu())

# %% epochs
columns = history.train_loss, history.train_acc, history.test_acc
print("epoch   loss  train acc  test acc")
for epoch, (loss, train_acc, test_acc) in enumerate(zip(*columns, strict=True), 1):
    print(f"{epoch:5}  {loss:.3f}  {train_acc:9.3f}  {test_acc:8.3f}")
assert all(math.isfinite(loss) for loss in history.train_loss)
assert 1 <= len(history.train_loss) == len(history.test_acc) <= num_epochs

# %% pictures tags=["wide"]
d2l.plt.rcParams["image.cmap"] = "gray"
pairs = zip(labels, guesses, strict=True)
titles = [f"{data.CLASSES[label]}\n{data.CLASSES[guess]}" for label, guess in pairs]
_ = d2l.show_images(images, 2, 9, titles=titles, scale=1.4)
d2l.plt.tight_layout()
