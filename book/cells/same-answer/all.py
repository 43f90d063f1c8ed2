# %% shapes tags=["nbval-check-output"]
shapes = {"conv1": (96, 1, 11, 11), "conv2": (256, 96, 5, 5), "conv3": (384, 256, 3, 3)}
shapes |= {"conv4": (384, 384, 3, 3), "conv5": (256, 384, 3, 3)}
shapes |= {"fc6": (4096, 6400), "fc7": (4096, 4096), "fc8": (10, 4096)}
parameters = sum(math.prod(shape) + shape[0] for shape in shapes.values())
print(f"{parameters:,} parameters")

# %% weights-by-hand
rng, arrays = numpy.random.default_rng(0), {}
for name, shape in shapes.items():
    bound = math.sqrt(6 / math.prod(shape[1:]))  # inputs of one sum
    arrays[f"{name}.weight"] = rng.uniform(-bound, bound, shape).astype("float32")
    arrays[f"{name}.bias"] = rng.uniform(-0.05, 0.05, shape[0]).astype("float32")

# %% file
folder = tempfile.TemporaryDirectory()
path = f"{folder.name}/alexnet.safetensors"
save_file(arrays, path)

# %% batch
images = numpy.random.default_rng(1).random((8, 1, 224, 224), dtype="float32")
labels = numpy.arange(8)
numpy.set_printoptions(precision=3, floatmode="fixed", suppress=True, linewidth=100)

# %% round-trip tags=["nbval-check-output"]
copy = f"{folder.name}/copy.safetensors"
weights.save(net, copy)
print("the same bytes:", filecmp.cmp(path, copy, shallow=False))

# %% sum-order tags=["nbval-check-output"]
row = arrays["fc6.weight"][0]  # 6400 numbers
sums = {"forwards": sum(row), "backwards": sum(row[::-1]), "exact": math.fsum(row)}
for name, total in sums.items():
    print(f"{name:<9} {total:.7f}")

# %% padding-trap tags=["nbval-check-output"]
padded = numpy.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))  # (8, 1, 226, 226)
without, trapped = answers(images), answers(padded)
for batch, logits in ((images, without), (padded, trapped)):
    side = (batch.shape[-1] - 11) // 4 + 1
    print(f"{parameters:,} parameters, maps {(side, side)}, logits {logits.shape}")
    print(logits[0])
print(f"largest difference {abs(trapped - without).max():.3f}")

# %% wrong-order tags=["nbval-check-output"]
channels_last = arrays["fc6.weight"].reshape(4096, 256, 5, 5).transpose(0, 2, 3, 1)
mistakes = {"conv2.weight": arrays["conv2.weight"].swapaxes(2, 3)}
mistakes |= {"fc6.weight": channels_last.reshape(4096, 6400)}
for name, mistake in mistakes.items():
    assert mistake.shape == arrays[name].shape
    save_file(arrays | {name: numpy.ascontiguousarray(mistake)}, path)
    weights.load(net, path)
    print(f"{name:<13}{answers(images)[0]}")

# %% cleanup
folder.cleanup()
