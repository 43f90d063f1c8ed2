# %% output-size tags=["nbval-check-output"]
def output_size(n, k, s=1, p=0):
    return (n + 2 * p - k) // s + 1


# (kernel, stride, padding)
windows = [(11, 4, 0), (3, 2, 0), (5, 1, 2), (3, 2, 0)]  # conv1, pool1, conv2, pool2
windows += [(3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]  # conv3, conv4, conv5, pool5
for n in (224, 227):
    sizes = [n]
    for k, s, p in windows:
        sizes.append(output_size(sizes[-1], k, s, p))
    print(*sizes, sep=" → ")


# %% macs tags=["nbval-check-output"]
def total(counts, prefix=""):
    return sum(count for name, count in counts.items() if name.startswith(prefix))


parameters = {name: weights + biases for name, (weights, biases, _) in table.items()}
macs = {name: values * (weights // biases) for name, (weights, biases, values) in table.items()}
print(f"{'MACs':>17}   share of MACs   share of parameters")
for prefix in (*table, "conv", "fc", ""):
    count, share = total(macs, prefix), total(macs, prefix) / total(macs)
    of_parameters = total(parameters, prefix) / total(parameters)
    print(f"{prefix or 'total':<5}{count:>12,}{share:>16.1%}{of_parameters:>22.1%}")

# %% gradient-table
print(f"{'':<7}{'sigmoid':>9}{'ReLU':>9}")
for name, sigmoid, relu in zip(table, gradients["sigmoid"], gradients["ReLU"], strict=True):
    print(f"{name:<7}{sigmoid:9.0e}{relu:9.0e}")
assert gradients["sigmoid"][-1] > 1000 * gradients["sigmoid"][0]
assert gradients["ReLU"][-1] < 10 * gradients["ReLU"][0]

# %% race
train_iter, test_iter = d2l.load_data_fashion_mnist(batch_size=128)
for name, network in networks.items():
    for lr in 0.01, 0.1, 0.9:
        run = d2l.train_ch6(network, train_iter, test_iter, 3, lr, d2l.try_gpu(), quiet=True)
        loss, accuracy = run.train_loss[-1], run.test_acc[-1]
        print(f"{name:<8} rate {lr:<5} loss {loss:.2f}, test accuracy {accuracy:.2f}")
