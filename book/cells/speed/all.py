# %% batch
train_iter, _ = d2l.load_data_fashion_mnist(batch_size=128, resize=224)
X, y = next(iter(train_iter))

# %% work tags=["nbval-check-output"]
operations = 6 * 938_146_176  # forward, and backward twice; a multiply-add is two operations
operations -= 2 * 33_872_256  # the first layer passes nothing back to the pixels
print(f"{operations * len(y) / 1e9:.0f} billion operations for a step of {len(y)} images")

# %% report
speeds = {}


def report(name, step):
    step(X, y)  # the first one plans, compiles and allocates
    start = time.perf_counter()
    for _ in range(3):
        step(X, y)
    speeds[name] = 3 * len(y) / (time.perf_counter() - start)
    share = speeds[name] * operations / limits["float32"]
    print(f"{name:<22}{speeds[name]:6.0f} images/s  {share:5.0%} of the limit in float32")


# %% steps
for name, speed in speeds.items():
    print(f"{name:<22}{speed:6.0f} images/s  {speed / speeds['plain']:4.1f} times the plain step")


# %% loader
def wait_for(batch):
    float(batch[0, 0, 0, 0])  # MXNet, and any GPU, answers before it is done


wait_for(next(iter(train_iter))[0])
start = time.perf_counter()
for batch, _ in train_iter:
    wait_for(batch)
print(f"{len(train_iter.labels) / (time.perf_counter() - start):,.0f} images/s")

# %% bench
bench.table(bench.results())

# %% chart
bench.chart(bench.results())

# %% bench-gpu
bench.table(bench.results(bench.GPU_FILE))
