"""A recorded network gives what the network gives, and none is recorded that does more than compute."""

import contextlib
import threading
from unittest import mock

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from alexbook import _graph, training  # noqa: E402  # needs PyTorch
from alexbook import torch as d2l  # noqa: E402


@pytest.fixture
def no_gpu(monkeypatch):
    """What is recorded is called as it is, on the processor; returns all recordings, with their inputs."""
    recordings = []

    def make_graphed_callables(answer, inputs, **_):
        recordings.append(mock.Mock(wraps=answer, inputs=inputs))
        return recordings[-1]

    autocast = torch.autocast
    monkeypatch.setattr(torch, "autocast", lambda _, *args, **options: autocast("cpu", *args, **options))
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", make_graphed_callables)
    monkeypatch.setattr(torch.cuda, "mem_get_info", mock.Mock(side_effect=[(9, 10), (6, 10)]))
    return recordings


def network(*more):
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.LocalResponseNorm(2), nn.Flatten(), nn.Dropout(0.0)
    return nn.Sequential(nn.Sequential(*layers), *more, nn.LazyLinear(10))


def call(net, X):
    return net(X)


class Noisy(nn.ReLU):
    def forward(self, X):
        print(X.shape)
        return super().forward(X)


def hooked(register):
    layer = nn.ReLU()
    getattr(layer, register)(lambda *_: None)
    return layer


def patched():
    layer = nn.ReLU()
    layer.forward = lambda X: X.relu()
    return layer


@pytest.mark.parametrize(
    ("layer", "recorded"),
    [
        (nn.Sigmoid(), True),
        (nn.Linear(36, 36), True),
        (Noisy(), False),
        (patched(), False),
        (hooked("register_forward_hook"), False),
        (hooked("register_forward_pre_hook"), False),
        (hooked("register_full_backward_hook"), False),
        (hooked("register_full_backward_pre_hook"), False),
        (nn.utils.parametrizations.weight_norm(nn.Linear(36, 36)), False),
        (nn.BatchNorm1d(36), False),  # counts its batches
    ],
    ids=str,
)
def test_only_layers_that_do_nothing_but_compute_are_recorded(layer, recorded, no_gpu):
    X = torch.rand(5, 1, 8, 8)
    net = network(layer)
    net(X)
    assert (_graph.record(net, call, X) is not None) == recorded == len(no_gpu)


def test_a_recording_answers_as_the_network_and_gives_its_weights_their_gradients(no_gpu):
    X, other = torch.rand(2, 5, 1, 8, 8)
    net = network()
    net(X)
    net[-1].bias.requires_grad = False
    replay = _graph.record(net, call, X)
    weights = [weight for weight in net.parameters() if weight.requires_grad]
    gradients = [torch.autograd.grad(answer(other).square().sum(), weights) for answer in (net, replay)]
    for one, same in zip(*gradients, strict=True):
        torch.testing.assert_close(one, same, rtol=0, atol=0)


def test_a_recording_is_made_with_a_copy_of_the_inputs_and_the_memory_of_the_weights(no_gpu):
    X = torch.rand(5, 1, 8, 8)
    net = network()
    net(X)
    net[-1].bias.requires_grad = False
    _graph.record(net, call, X)
    inputs, *weights = no_gpu[0].inputs
    assert inputs.data_ptr() != X.data_ptr()
    own = list(net.parameters())
    assert [each.data_ptr() for each in weights] == [each.data_ptr() for each in own]
    assert [each.requires_grad for each in weights] == [each.requires_grad for each in own]
    assert not {*map(id, weights)} & {*map(id, own)}


def twice():
    layer = nn.Linear(2, 2)
    return nn.Sequential(layer, nn.ReLU(), layer)


def test_a_layer_that_stands_twice_in_a_network_is_not_recorded(no_gpu):
    assert _graph.record(twice(), call, torch.rand(1, 2)) is None
    assert _graph.record(twice()[:2], call, torch.rand(1, 2)) is not None


@pytest.mark.parametrize("register", ["register_hook", "register_post_accumulate_grad_hook"])
def test_weights_that_somebody_listens_to_are_not_recorded(register, no_gpu):
    net = nn.Linear(2, 2)
    with getattr(net.weight, register)(print):
        assert _graph.record(net, call, torch.rand(1, 2)) is None
    assert _graph.record(net, call, torch.rand(1, 2)) is not None


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, arguments=(), options=None):
        return operation(*arguments, **(options or {}))


@contextlib.contextmanager
def pinning():
    """The thread of a DataLoader with pin_memory, which PyTorch starts only where there is a GPU."""
    from torch.utils.data._utils.pin_memory import _pin_memory_loop

    done = threading.Event()
    with mock.patch.object(threading.Thread, "run", lambda _: done.wait()):
        thread = threading.Thread(target=_pin_memory_loop)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@pytest.mark.parametrize(
    "watched",
    [
        lambda: torch.autograd.set_detect_anomaly(True),
        lambda: mock.patch.object(torch, "is_autocast_enabled", lambda kind: kind == "cuda"),
        lambda: nn.modules.module.register_module_forward_hook(print),
        Watching,
        torch.autograd.graph.save_on_cpu,
        pinning,
    ],
)
def test_nothing_is_recorded_while_somebody_watches(watched, no_gpu):
    with watched():
        assert _graph.record(nn.Linear(2, 2), call, torch.rand(1, 2)) is None
    assert _graph.record(nn.Linear(2, 2), call, torch.rand(1, 2)) is not None


def test_a_recording_that_leaves_less_memory_than_it_took_is_dropped(monkeypatch, no_gpu):
    monkeypatch.setattr(torch.cuda, "mem_get_info", mock.Mock(side_effect=[(9, 10), (4, 10)]))
    assert _graph.record(nn.Linear(2, 2), call, torch.rand(1, 2)) is None
    assert len(no_gpu) == 1


def test_where_memory_is_short_nothing_is_recorded(monkeypatch, no_gpu):
    monkeypatch.setattr(torch.cuda, "make_graphed_callables", mock.Mock(side_effect=torch.OutOfMemoryError))
    assert _graph.record(nn.Linear(2, 2), call, torch.rand(1, 2)) is None


class OnGpu(torch.Tensor):
    is_cuda = True


@pytest.mark.parametrize(
    ("made", "kind", "precision", "has_bf16", "recordings"),
    [
        (OnGpu, "cuda", "bf16", True, 1),
        (OnGpu, "cuda", "bf16", False, 0),
        (OnGpu, "cuda", "fp32", True, 0),
        (OnGpu, "cpu", "bf16", True, 0),
        (torch.Tensor, "cuda", "bf16", True, 0),
    ],
)
def test_a_training_is_recorded_on_a_gpu_with_bfloat16(
    made, kind, precision, has_bf16, recordings, no_gpu, monkeypatch
):
    monkeypatch.setattr(d2l, "has_bf16", lambda _: has_bf16)
    batch = torch.rand(6, 1, 8, 8).as_subclass(made), torch.randint(10, (6,))
    learner = d2l._Learner(network(), training.Plan(1, 0.1, precision=precision), "cpu")
    learner._kind = kind
    learner.initialize(batch[0], 0)
    assert len(no_gpu) == len(learner._recorded) == recordings
    for count in (6, 5):  # the last batch of an epoch may be smaller
        learner.step(*(each[:count] for each in batch))
    assert [each.call_count for each in no_gpu] == [1] * recordings
    learner.leave()
    assert not learner._recorded


needs_gpu = pytest.mark.skipif(
    not torch.cuda.is_available() or not d2l.has_bf16(), reason="needs a GPU that has bfloat16"
)


def train(net, size, recipe=training.PLAIN):
    """Trains on batches of 64 random images and one of 30; returns all weights."""
    torch.manual_seed(1)
    device = d2l.try_gpu()
    batches = [
        (torch.rand(n, 1, size, size, device=device), torch.randint(10, (n,), device=device)) for n in [64] * 20 + [30]
    ]
    d2l.train_ch6(net, batches, batches[:1], 2, 0.1, device, recipe=recipe, quiet=True)
    return torch.cat([weight.flatten() for weight in net.parameters()])


@pytest.fixture
def record(monkeypatch):
    """Fails where a training on a GPU is not recorded."""

    def recorded(*arguments):
        replay = _graph.record(*arguments)
        assert replay
        return replay

    monkeypatch.setattr(d2l, "record", recorded)


@needs_gpu
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_on_a_gpu_a_recorded_training_is_the_same_to_the_last_bit(momentum, monkeypatch, record):
    recipe = training.Recipe(momentum=momentum, warmup=0.1)
    net, same = (nn.Sequential(nn.Conv2d(1, 1, 5, 4), network(nn.Linear(36, 36), nn.Dropout())) for _ in range(2))
    weights = train(net, 33, recipe)
    monkeypatch.setattr(d2l, "record", lambda *_: None)
    assert torch.equal(weights, train(same, 33, recipe))


@needs_gpu
def test_on_a_gpu_a_recording_gives_its_memory_back(record):
    held = []
    for _ in range(2):
        train(nn.Sequential(nn.Conv2d(1, 64, 3), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.LazyLinear(10)), 128)
        held.append(torch.cuda.memory_allocated())
    # What the first layer alone answers is 130 MB. cuBLAS keeps up to 70 MB for each stream that it was used in.
    assert held[1] < held[0] + 100e6
