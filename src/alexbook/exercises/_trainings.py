"""Exercises 1, 2.1 and 2.2: two trainings against each other."""

from typing import Any

from alexbook.exercises._runs import Run, luck, pair, parameters, smoke, stuck
from alexbook.exercises._verdict import Problem, Verdict
from alexbook.profiles import PROFILES

D2L_EPOCHS = 10  # of its LeNet and of its AlexNet
FASTER, LESS_ACCURATE, SHARE_OF_TIME = 2, 0.01, 0.25


def epochs(answer: Any, verdict: Verdict) -> None:
    """1: LeNet and AlexNet, each trained for longer."""
    lenet, alexnet = pair(answer, "lenet", "alexnet")
    sizes = parameters(lenet.net), parameters(alexnet.net)
    if sizes[0] is not None and sizes[1] is not None and sizes[0] > sizes[1]:
        raise Problem("1.swapped", first=sizes[0], second=sizes[1])
    if sizes[0] is not None and sizes[0] == sizes[1]:
        raise Problem("1.same-network", size=sizes[0])
    if smoke([lenet, alexnet], verdict):
        return
    start = PROFILES[lenet.profile].epochs or D2L_EPOCHS
    short = [run for run in (lenet, alexnet) if run.epochs <= start]
    for run in short:
        kind, key = ("wrong", "1.few-epochs") if run.profile == "full" else ("open", "1.profile-stops")
        verdict.add(kind, key, name=run.name, epochs=run.epochs, start=start, profile=run.profile)
    still = [stuck(run, verdict) for run in (lenet, alexnet)]
    if short or any(still):
        return
    for run in (lenet, alexnet):
        _longer(run, start, verdict)
    if lenet.epochs != alexnet.epochs:
        verdict.add("note", "1.other-epochs", first=lenet.epochs, second=alexnet.epochs)
    last = min(lenet.epochs, alexnet.epochs)
    lead = alexnet.test_acc[last - 1] - lenet.test_acc[last - 1]
    verdict.add("note", "1.ahead", epochs=last, lead=100 * lead, luck=100 * luck(lenet, alexnet))
    verdict.add("note", "1.why")


def _longer(run: Run, start: int, verdict: Verdict) -> None:
    before, after = run.test_acc[start - 1], run.accuracy
    values = {"name": run.name, "start": start, "epochs": run.epochs, "before": before, "after": after}
    verdict.add("right", "1.longer", gain=100 * (after - before), **values)
    verdict.add(
        "note", "1.gap", name=run.name, train=run.train_acc[-1], test=after, gap=100 * (run.train_acc[-1] - after)
    )


def simpler(answer: Any, verdict: Verdict) -> None:
    """2.1: at least twice as fast, at most a point less accurate."""
    alexnet, simple = pair(answer, "alexnet", "simpler")
    if alexnet.epochs != simple.epochs:
        raise Problem("2.1.other-epochs", first=alexnet.epochs, second=simple.epochs)
    if alexnet.size != simple.size and alexnet.size and simple.size:
        raise Problem("2.1.other-size", first=alexnet.size, second=simple.size)
    _same_precision(alexnet, simple)
    if smoke([alexnet, simple], verdict):
        return
    ratio = simple.speed / alexnet.speed
    if ratio < 1 / 1.2:
        raise Problem("2.1.swapped", first=alexnet.speed, second=simple.speed)
    kind, key = ("right", "2.1.fast") if ratio >= FASTER else ("wrong", "2.1.slow")
    verdict.add(kind, key, ratio=ratio, least=FASTER, first=alexnet.speed, second=simple.speed)
    if not any([stuck(alexnet, verdict), stuck(simple, verdict)]):
        lost, allowance = alexnet.accuracy - simple.accuracy, luck(alexnet, simple)
        values = {"first": alexnet.accuracy, "second": simple.accuracy, "most": 100 * LESS_ACCURATE}
        if lost <= LESS_ACCURATE + 1e-9:  # 0.88 - 0.87 is a little more than 0.01
            verdict.add("right", "2.1.accurate", **values)
        elif lost <= LESS_ACCURATE + allowance:
            verdict.add("open", "2.1.luck", luck=100 * allowance, tests=simple.tests, **values)
        else:
            verdict.add("wrong", "2.1.inaccurate", luck=100 * allowance, **values)


def _same_precision(one: Run, other: Run) -> None:
    if one.precision != other.precision:
        names: dict[str, Any] = {"one": one.name, "other": other.name}
        raise Problem("run.other-precision", first=one.precision, second=other.precision, **names)


def native(answer: Any, verdict: Verdict) -> None:
    """2.2: more accurate than the resized AlexNet, in a fraction of its time."""
    alexnet, small = pair(answer, "alexnet", "native", images=False)  # it may take fewer, more often
    _same_precision(alexnet, small)
    if smoke([alexnet, small], verdict):
        return
    times, totals = (
        [sum(run.seconds) for run in (alexnet, small)],
        [run.images * run.epochs for run in (alexnet, small)],
    )
    if times[1] > 1.2 * times[0] and small.accuracy <= alexnet.accuracy:
        raise Problem("2.2.swapped", first=times[0], second=times[1])
    if totals[1] > totals[0]:
        raise Problem("2.2.more-images", first=totals[0], second=totals[1])
    kind, key = ("right", "2.2.fast") if times[1] <= SHARE_OF_TIME * times[0] else ("wrong", "2.2.slow")
    verdict.add(kind, key, first=times[0], second=times[1], share=times[1] / times[0], most=SHARE_OF_TIME)
    if not any([stuck(alexnet, verdict), stuck(small, verdict)]):
        lead, allowance = small.accuracy - alexnet.accuracy, luck(alexnet, small)
        values = {"first": alexnet.accuracy, "second": small.accuracy, "lead": 100 * abs(lead), "luck": 100 * allowance}
        if lead > allowance:
            verdict.add("right", "2.2.better", **values)
        elif lead >= -allowance:
            verdict.add("open", "2.2.luck", tests=small.tests, **values)
        else:
            verdict.add("wrong", "2.2.worse", **values)
