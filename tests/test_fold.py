"""A folded convolution is the convolution, whatever its window, its steps and its margins."""

from unittest import mock

import pytest

torch = pytest.importorskip("torch")

from alexbook import _fold  # noqa: E402  # needs PyTorch


@pytest.mark.parametrize(
    ("channels", "window", "step", "padding", "size"),
    [
        (1, 11, 4, (0, 0), (224, 224)),  # the document's first layer
        (3, 11, 4, (2, 2), (227, 227)),
        (2, 3, 2, (1, 1), (9, 14)),
        (1, (5, 2), 3, (0, 1), (17, 8)),
        (1, 2, 5, (0, 0), (12, 23)),  # between two windows are pixels that neither sees
    ],
)
def test_folded_it_gives_the_same_answer_and_gradients(channels, window, step, padding, size):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(channels, 4, window, step, padding).double()
    X = torch.rand(2, channels, *size, dtype=torch.float64, requires_grad=True)
    known = (X, layer.weight, layer.bias)
    plain, folded = layer(X), _fold.conv2d(*known, step, padding)
    torch.testing.assert_close(folded, plain)
    slopes = (torch.autograd.grad(answer.square().sum(), known) for answer in (folded, plain))
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other)


@pytest.fixture
def conv2d(monkeypatch):
    """The folded convolution, with its calls counted."""
    counted = mock.Mock(wraps=_fold.conv2d)
    monkeypatch.setattr(_fold, "conv2d", counted)
    return counted


@pytest.mark.parametrize(
    ("options", "folded"),
    [
        ({"stride": 4}, True),
        ({"stride": 4, "padding": 2, "bias": False}, True),
        ({"stride": 4, "padding": 2, "padding_mode": "circular"}, True),
        ({}, False),
        ({"padding": "same"}, False),
        ({"stride": 4, "padding": "valid"}, False),
        ({"stride": (4, 2)}, False),
        ({"stride": 4, "dilation": 2}, False),
        ({"stride": 4, "groups": 2}, False),
        ({"stride": 4, "in_channels": 8}, False),
    ],
)
def test_only_what_gains_by_it_is_folded(options, folded, conv2d):
    layer = torch.nn.Conv2d(**{"in_channels": 2, "out_channels": 4, "kernel_size": 5} | options)
    X = torch.rand(2, layer.in_channels, 20, 20)
    with _fold.Fold():
        found = layer(X)
    torch.testing.assert_close(found, layer(X))
    assert conv2d.call_count == folded


@pytest.mark.parametrize(
    ("kind", "precision", "folded"), [("cuda", "bf16", 1), ("cuda", "fp32", 0), ("cpu", "bf16", 1), ("cpu", "fp32", 0)]
)
def test_a_training_folds_in_bfloat16(kind, precision, folded, conv2d, monkeypatch):
    from alexbook import torch as d2l
    from alexbook import training

    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda _, *args, **options: autocast("cpu", *args, **options))
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 5, 4), torch.nn.Flatten(), torch.nn.Linear(100, 10))
    learner = d2l._Learner(net, training.Plan(1, 0.1, precision=precision), "cpu")
    learner._kind = kind
    learner.evaluate(torch.rand(2, 1, 24, 24), torch.zeros(2))
    assert conv2d.call_count == folded


def test_a_single_picture_is_left_alone():
    layer = torch.nn.Conv2d(1, 4, 5, 4)
    with _fold.Fold():
        assert layer(torch.rand(1, 20, 20)).shape == (4, 4, 4)
