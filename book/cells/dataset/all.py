# %% grid tags=["wide"]
d2l.plt.rcParams["image.cmap"] = "gray"
images, labels = data.load("test")
order = [np.flatnonzero(labels == label)[row] for row in range(3) for label in range(10)]
_ = d2l.show_images(images[order], 3, 10, titles=data.CLASSES + ("",) * 20, scale=1.2)

# %% resize-matrix tags=["nbval-check-output"]
print(data.resize_matrix(4, source=2))  # 2 pixels become 4
A = data.resize_matrix(224)  # 28 pixels become 224
print(A.shape, "at most", (A != 0).sum(axis=1).max(), "weights in a row")
assert np.allclose(A.sum(axis=1), 1)

# %% enlarge
small = images[0] / 255  # (28, 28)
large = A @ small @ A.T  # (224, 224)
_ = d2l.show_images([small, large], 1, 2, titles=[str(small.shape), str(large.shape)], scale=3)

# %% shrink tags=["nbval-check-output"]
back = np.linalg.pinv(A)  # (28, 224)
print("rank of A:", np.linalg.matrix_rank(A))
assert np.allclose(back @ large @ back.T, small, atol=1e-4)

# %% loader
batch_size = 128
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size, resize=224)

# %% bytes tags=["nbval-check-output"]
stored = 60_000 * 28 * 28  # one byte a pixel
enlarged = 60_000 * 224 * 224 * 4  # a float32 has four
print(f"stored   {stored / 1e6:6.1f} MB")
print(f"enlarged {enlarged / 1e9:6.1f} GB, {enlarged // stored} times as much")
