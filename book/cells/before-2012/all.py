# %% images
full, quick = (10_000, 10_000), (2_000, 1_000)  # images to train on, to test on
train, test = profiles.pick(full=full, quick=quick, smoke=(200, 100))
images, labels = data.load("train", images=train)  # (train, 28, 28), (train,)
test_images, test_labels = data.load("test", images=test)
everything = np.concatenate([images, test_images])  # (train + test, 28, 28)


# %% pixels
def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return result, time.perf_counter() - start


def pixels(images):
    return images.reshape(-1, 784) / 255


features, seconds = {}, {}
features["pixels"], seconds["pixels"] = timed(pixels, everything)

# %% hog-picture
d2l.plt.rcParams["image.cmap"] = "gray"
chosen = [images[labels == kind][0] for kind in (1, 2, 5, 8, 9)]
large = [rescale(image, 4) for image in chosen]  # so that there is room to draw
strokes = [hog(image, 9, (16, 16), (2, 2), visualize=True)[1] for image in large]
_ = d2l.show_images([*chosen, *strokes], 2, 5)


# %% hog tags=["nbval-check-output"]
def hogs(images):
    return np.stack([hog(image, 9, (4, 4), (2, 2)) for image in images])


numbers = hog(images[0], 9, (4, 4), (2, 2), feature_vector=False)
print("blocks, cells in a block, orientations:", numbers.shape)
print(images[0].size, "pixels have become", numbers.size, "numbers")
features["HOG"], seconds["HOG"] = timed(hogs, everything)

# %% keypoints
doubled = [rescale(image, 2) for image in chosen]
axes = d2l.show_images(doubled, 1, 5, scale=2)
for image, axis in zip(doubled, axes, strict=True):
    sift = SIFT()
    sift.detect(image)
    rows, columns = sift.positions.T
    sizes = (5 * sift.sigmas) ** 2  # the area of each mark
    axis.scatter(columns, rows, sizes, facecolors="none", edgecolors="orange")


# %% descriptors
def descriptors(image):
    sift = SIFT()
    try:
        sift.detect_and_extract(rescale(image, 2))
    except RuntimeError:  # how scikit-image says that there is no keypoint
        return np.empty((0, 128))
    return sift.descriptors  # (keypoints, 128)


found, seconds["words"] = timed(lambda: [descriptors(image) for image in everything])
counts = [len(each) for each in found]
print(f"keypoints in an image: {np.mean(counts):.0f} on average")
print("images without any:", counts.count(0), "of", len(counts))


# %% words
def words(found):
    kinds = MiniBatchKMeans(1000, n_init=1, random_state=0)
    kinds.fit(np.concatenate(found[:train]))
    owners = np.repeat(np.arange(len(found)), [len(each) for each in found])
    histograms = np.zeros((len(found), 1000))
    np.add.at(histograms, (owners, kinds.predict(np.concatenate(found))), 1)
    return np.sqrt(histograms / np.maximum(1, histograms.sum(axis=1, keepdims=True)))


features["words"], clustering = timed(words, found)
seconds["words"] += clustering


# %% machine
def machine(kernel):
    held_out = ShuffleSplit(n_splits=1, test_size=0.2, random_state=0)
    return GridSearchCV(SVC(kernel=kernel), {"C": [0.1, 1, 10]}, cv=held_out)


# %% measure
results, asked = [], []
for name, kernel in itertools.product(features, ("linear", "rbf")):
    X = features[name]
    svm, took = timed(machine(kernel).fit, X[:train], labels)
    accuracy, C = svm.score(X[train:], test_labels), svm.best_params_["C"]
    results.append((name, f"SVM, {kernel}", accuracy, seconds[name], took))
    asked.append((name, f"SVM, {kernel}", svm.predict))
    print(f"{name:<8}SVM, {kernel:<8}C = {C:<6}accuracy {accuracy:.3f}")

# %% growth
for count in (train // 4, train // 2, train):
    X, y = features["pixels"][:count], labels[:count]
    _, took = timed(SVC(kernel="rbf", C=10).fit, X, y)
    print(f"{count:6,} images,{count * (count - 1) // 2:11,} pairs,{took:7.2f} s")

# %% lenet-all
_, took = timed(train_lenet, 30)
accuracy = (answers(features["pixels"][train:]) == test_labels).mean()
results.append(("pixels", "LeNet", accuracy, seconds["pixels"], took))
asked.append(("pixels", "LeNet", answers))

# %% table
print("features classifier  accuracy   extract    train")
for name, classifier, accuracy, extraction, training in results:
    row = f"{name:<9}{classifier:<12}{accuracy:8.3f}"
    print(f"{row}{extraction:8.1f} s{training:7.1f} s")
assert all(accuracy > 0.3 for _, _, accuracy, *_ in results)  # guessing: 0.1

# %% lights
thirds, negatives = test_images // 3, 255 - test_images
lights = {"as it is": test_images, "a third": thirds, "negative": negatives}
shown = [light[0] for light in lights.values()]
for axis in d2l.show_images(shown, 1, 3, titles=list(lights), scale=2):
    axis.images[0].set_clim(0, 255)  # the same black and the same white in all

# %% lights-table
extract = {"pixels": pixels, "HOG": hogs}  # without the words, which take long
print("features classifier ", *(f"{name:>9}" for name in lights))
for name, classifier, answer in asked:
    if name in extract:
        said = [answer(extract[name](light)) for light in lights.values()]
        shares = [np.mean(each == test_labels) for each in said]
        print(f"{name:<9}{classifier:<11}", *(f"{share:9.3f}" for share in shares))
        assert name != "HOG" or max(shares) - min(shares) < 0.1
