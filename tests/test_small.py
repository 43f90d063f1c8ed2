"""The chapter Small: its three networks have the same layers, and its count of products is what they do."""

from pathlib import Path

import jupytext
from backend_fixtures import patterns, present

CELLS = Path(__file__).parents[1] / "book" / "cells" / "small"


def run(name, *titles, **names):
    """What the cells of one file define."""
    source = {cell.metadata["title"]: cell.source for cell in jupytext.read(CELLS / f"{name}.py").cells}
    for title in titles:
        exec(source[title], names)
    return names


def test_the_products_are_those_of_the_layers(capsys):
    torch = present()["pytorch"].d2l.torch
    net, products = run("pytorch", "imports", "model")["net"], []

    def count(layer, inputs, output):
        places = output[0, 0].numel() if output.ndim == 4 else 1
        products.append(places * layer.weight.numel())

    for layer in net:
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            layer.register_forward_hook(count)
    net(torch.zeros(2, 1, 28, 28))
    assert run("all", "work")["products"] == sum(products)
    assert capsys.readouterr().out == "7.7 million multiply-adds for an image\n121 times as many in AlexNet\n"


def test_the_networks_have_the_same_layers():
    """As many numbers in each array, whichever way round they stand; running means and variances included."""
    sizes = {}
    for name, backend in present().items():
        net = run(name, "imports", "model")["net"]
        batches = backend.batches(*patterns(40, size=28), 20)
        trained = backend.d2l.train_ch6(net, batches, batches, 1, 0.1, backend.cpu, quiet=True).net
        # PyTorch also counts the batches, in a number without axes
        sizes[name] = sorted(array.size for array in backend.state(trained) if array.ndim)
    assert all(each == sizes["pytorch"] for each in sizes.values())
