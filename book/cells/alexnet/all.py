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
