# %% data
full, quick, smoke = ((60_000, 10_000), 128, 20, 20), ((640, 384), 16, 4, 40), ((128, 64), 16, 1, 1)
gpu = d2l.num_gpus() > 0
images, batch_size, epochs, many = profiles.pick(full=full, quick=quick, smoke=smoke, accelerator=gpu)
large = d2l.load_data_fashion_mnist(batch_size, resize=224, images=images)
small = d2l.load_data_fashion_mnist(batch_size, images=images)

# %% more-epochs
#| blank: lenet_history = ...  # train(lenet, small, …
lenet_history = train(lenet, small, many, lr=0.9, momentum=0)
#| end
#| blank: alexnet_history = ...  # train(alexnet, large, …
alexnet_history = train(alexnet, large, epochs, lr=0.01)
#| end

# %% check-1
exercises.check("1", (lenet_history, alexnet_history))

# %% curves
both = lenet_history, alexnet_history
xs = [list(range(1, len(history) + 1)) for history in both for _ in range(2)]
ys = [accuracies for history in both for accuracies in (history.train_acc, history.test_acc)]
legend = [f"{name}, {half}" for name in ("LeNet", "AlexNet") for half in ("train", "test")]
look = {"xlabel": "epoch", "ylabel": "accuracy", "figsize": (5, 3.5), "fmts": ("b--", "b-", "r--", "r-")}
d2l.plot(xs, ys, legend=legend, **look)

# %% compare
print(f"{'':<9}{'epochs':>6}{'s an epoch':>12}{'train acc':>11}{'test acc':>10}")
for name, history in zip(("LeNet", "AlexNet"), both, strict=True):
    seconds = sum(history.seconds) / len(history)
    print(f"{name:<9}{len(history):6}{seconds:12.2f}{history.train_acc[-1]:11.3f}{history.test_acc[-1]:10.3f}")

# %% simpler-history
simpler_history = train(simpler, large, epochs, lr=0.01)

# %% check-2-1
exercises.check("2.1", (alexnet_history, simpler_history))

# %% native-history
native_history = train(native, small, epochs, lr=0.05)

# %% check-2-2
exercises.check("2.2", (alexnet_history, native_history))


# %% measure
def measure(batch_size):  # in a process of its own: the peak of a process never falls
    parts = [imports, *map(inspect.getsource, (alexnet, train, peak))]
    parts += [f"loaders = d2l.load_data_fashion_mnist({batch_size}, resize=224, images={images})"]
    parts += ["history = train(alexnet, loaders, 1, lr=0.01)", "print(history.test_acc[-1], peak())"]
    command = [sys.executable, "-c", "\n".join(parts)]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(process.stderr)
    accuracy, most = process.stdout.split()[-2:]
    return float(accuracy), int(most)


# %% batch-sizes
#| blank: measured = ...  # {batch size: measure(batch size), …}
measured = {size: measure(size) for size in (8, 32, 128)}
#| end

# %% check-3
exercises.check("3", measured)

# %% batch-table
print(f"{'batch':>5}{'steps':>7}{'test acc':>10}{'peak':>10}")
for size, (accuracy, most) in measured.items():
    print(f"{size:5}{-(-images[0] // size):7}{accuracy:10.3f}{most / 1e9:7.2f} GB")

# %% sizes
sizes = {  # window, inputs, outputs, side of the maps it reads, of those it writes
    "conv1": (11, 1, 96, 224, 54),
    "conv2": (5, 96, 256, 26, 26),
    "conv3": (3, 256, 384, 12, 12),
    "conv4": (3, 384, 384, 12, 12),
    "conv5": (3, 384, 256, 12, 12),
    "fc6": (1, 6400, 4096, 1, 1),
    "fc7": (1, 4096, 4096, 1, 1),
    "fc8": (1, 4096, 10, 1, 1),
}

# %% bytes
parameters, activations = {}, {}  # in bytes, of float32; activations: the outputs for one image
for name, (k, n, m, _, side) in sizes.items():
    #| blank: parameters[name] = ...
    parameters[name] = 4 * (k * k * n * m + m)
    #| end
    #| blank: activations[name] = ...
    activations[name] = 4 * m * side**2
    #| end

# %% most
#| blank: most = {"inference": ..., "training": ...}  # "parameters", "gradients" or "activations"
most = {"inference": "parameters", "training": "activations"}
#| end

# %% check-4-1 tags=["nbval-check-output"]
exercises.check("4.1", {"parameters": parameters, "activations": activations, **most})

# %% bytes-table tags=["nbval-check-output"]
print(f"{'':<6}{'parameters':>12}{'outputs, 1 image':>18}{'128 images':>12}")
for name in sizes:
    kept = activations[name] / 1e6
    print(f"{name:<6}{parameters[name] / 1e6:9.1f} MB{kept:15.2f} MB{128 * kept:9.1f} MB")
total, kept = sum(parameters.values()) / 1e6, sum(activations.values()) / 1e6
print(f"{'sum':<6}{total:9.1f} MB{kept:15.2f} MB{128 * kept:9.1f} MB")

# %% work
inference, training = {}, {}  # multiply-adds for one image
for name, (k, n, m, _, side) in sizes.items():
    #| blank: inference[name] = ...
    inference[name] = k * k * n * m * side**2
    #| end
    #| blank: training[name] = ...
    training[name] = 3 * inference[name]
    #| end

# %% check-4-2 tags=["nbval-check-output"]
exercises.check("4.2", {"inference": inference, "training": training})

# %% work-table tags=["nbval-check-output"]
for kind in "conv", "fc":
    names = [name for name in sizes if name.startswith(kind)]
    work = sum(inference[name] for name in names)
    memory = sum(parameters[name] for name in names)
    shares = f"{work / sum(inference.values()):6.1%} of the work"
    print(f"{kind:<5}{work:>12,} multiply-adds,{shares},{memory / sum(parameters.values()):6.1%} of the parameters")


# %% clock
def shortest(run):  # seconds
    times = []
    for _ in range(6):  # the first one plans, compiles and allocates
        start = time.perf_counter()
        wait(run())
        times.append(time.perf_counter() - start)
    return min(times)


# %% roof
roof = 2 * length**3 / shortest(product), 12 * count / shortest(addition)
print(f"{roof[0] / 1e9:,.0f} GFLOP/s, {roof[1] / 1e9:,.1f} GB/s")

# %% intensity
intensity = {}  # operations a byte
for batch, (name, (k, n, m, read, side)) in itertools.product((1, 128), sizes.items()):
    #| blank: intensity[name, batch] = ...
    moved = 4 * (k * k * n * m + batch * (n * read**2 + m * side**2))
    intensity[name, batch] = 2 * k * k * n * m * side**2 * batch / moved
    #| end

# %% waiting
#| blank: waiting = {1: ..., 128: ...}  # two lists of names: the layers that memory limits
ridge = roof[0] / roof[1]
waiting = {batch: [name for name in sizes if intensity[name, batch] < ridge] for batch in (1, 128)}
#| end

# %% check-4-3
exercises.check("4.3", {"roof": roof, "intensity": intensity, "memory": waiting})

# %% roofline
roofline.chart({"this machine": roof}, intensity, {})

# %% training-traffic tags=["nbval-check-output"]
print(f"{'operations a byte':>25}{'inference, 1':>14}{'inference, 128':>16}{'training, 128':>15}")
for name, (k, n, m, read, side) in sizes.items():
    weights, moved = k * k * n * m, 128 * (n * read**2 + m * side**2)
    passes = 3 * 2 * 128 * weights * side**2  # forward, gradient of the weights, gradient of the inputs
    step = passes + 2 * weights  # and the update, which reads weight and gradient, and writes the weight
    traffic = 4 * (3 * (weights + moved) + 3 * weights)
    print(f"{name:>25}{intensity[name, 1]:14.1f}{intensity[name, 128]:16.1f}{step / traffic:15.1f}")

# %% lenets
few = profiles.pick(full=10, quick=3, smoke=1, accelerator=gpu)
loaders = d2l.load_data_fashion_mnist(64)
histories = {}
for name, network in networks.items():
    lr, momentum = (0.9, 0) if name == "sigmoid" else (0.05, 0.9)
    histories[name] = train(network, loaders, few, lr, momentum)

# %% check-5
exercises.check("5", histories)

# %% lenets-table
print(f"{'':<18}{'train acc':>10}{'test acc':>10}")
for name, history in histories.items():
    print(f"{name:<18}{history.train_acc[-1]:10.3f}{history.test_acc[-1]:10.3f}")

# %% stranger tags=["nbval-check-output"]
stranger = exercises.given("6")
for layer in stranger["layers"]:
    plan = ", ".join(f"{key} {layer[key]}" for key in ("outputs", "window", "stride", "padding"))
    print(f"{layer['name']}: {plan}; the stranger's output is {stranger['outputs'][layer['name']].shape}")

# %% trap
#| blank: trap = ...  # the name of a layer
X, weights, differences = stranger["image"], stranger["weights"], {}
for layer in stranger["layers"][:-1]:  # fc5 has no windows to move
    name, theirs = layer["name"], stranger["outputs"][layer["name"]]
    ours = convolve(X, weights[f"{name}.weight"], weights[f"{name}.bias"], layer["stride"], layer["padding"])
    differences[name] = abs(ours - theirs).max()
    X = theirs  # so that the next difference is the next layer's own
trap = max(differences, key=differences.get)
#| end

# %% check-6 tags=["nbval-check-output"]
exercises.check("6", trap)

# %% differences tags=["nbval-check-output"]
for name, difference in differences.items():
    print(f"{name}: {difference:.2f}")

# %% check-7
exercises.check("7", loaded)

# %% task tags=["nbval-check-output"]
task = exercises.given("8")
print("input", task["input"])
for layer in task["layers"]:
    print(layer)

# %% predict
shapes = {}
#| blank: shapes["conv1"] = ...  # and so on: (channels, height, width), or one number for fc4
shape = task["input"]
for layer in task["layers"]:
    window, stride, padding = layer["window"], layer["stride"], layer["padding"]
    height, width = ((n + 2 * padding - window) // stride + 1 for n in shape[-2:])
    shape = (layer["outputs"] or shape[0], height, width)  # a pooling layer keeps the channels
    shapes[layer["name"]] = layer["outputs"] if layer["kind"] == "fc" else shape
#| end

# %% check-8 tags=["nbval-check-output"]
exercises.check("8", shapes)

# %% shapes tags=["nbval-check-output"]
for name, shape in shapes.items():
    print(f"{name:<6}{shape}")
