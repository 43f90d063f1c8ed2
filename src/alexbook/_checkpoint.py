"""Checkpoints: one .npz of NumPy arrays that holds the weights, the history, and which run they belong to."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alexbook._files import replaced
from alexbook._run import History

Weights = dict[str, NDArray[Any]]


class State(NamedTuple):
    """What is kept of a network: its weights, and what its layers say of themselves, in order."""

    weights: Weights
    layers: list[str]


_META = "meta.json"
_SAVED = ("train_loss", "train_acc", "test_acc", "seconds", "images")


@dataclass(frozen=True)
class Checkpoint:
    """A file, and the facts that a run must share with it to go on from it."""

    path: Path
    run: dict[str, Any]

    def save(self, state: State, history: History) -> None:
        """Replaces the file in one step: at any moment it is a whole checkpoint, the old or the new one."""
        meta = {"run": self.run, "layers": state.layers, "history": {name: getattr(history, name) for name in _SAVED}}
        arrays = {f"weights/{name}": array for name, array in state.weights.items()}
        with replaced(self.path) as temporary, temporary.open("wb") as file:
            # NumPy's types take an array of any name for its option allow_pickle.
            np.savez(file, **{_META: np.array(json.dumps(meta))}, **arrays)  # type: ignore[arg-type]

    def read(self, history: History) -> State | None:
        """Fills `history` and returns the network's state; None if there is no file yet.

        Raises:
            OSError: no file can be written there, which is better known now than after an epoch.
            ValueError: the file is damaged, or another run wrote it; it is left as it is.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path.parent):
                pass
        except OSError as error:
            raise OSError(f"{self.path}: no checkpoint can be written there ({error}); give another path") from error
        if not self.path.exists():
            return None
        meta, state = self._read()
        self._compare(meta["run"], self.run)
        for name in _SAVED:
            setattr(history, name, meta["history"][name])
        return state

    def compare(self, saved: State, current: State) -> None:
        """Raises ValueError where what was read is the state of another network."""
        self._compare(_parts(saved), _parts(current))

    def _read(self) -> tuple[dict[str, Any], State]:
        try:
            # Opened here, and so closed here: np.load leaves a file open that is no whole zip.
            with self.path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
                meta = json.loads(str(file[_META]))
                weights = {name.removeprefix("weights/"): file[name] for name in file.files if name != _META}
            if set(meta) != {"run", "layers", "history"} or set(meta["history"]) != set(_SAVED):
                raise ValueError("its history is not what this version writes")
        except Exception as error:  # the zip, an array's header, the JSON: damage fails in many ways
            raise ValueError(
                f"{self.path}: not a whole checkpoint ({error}). It was left as it is: move it away to start "
                "anew, or give another path"
            ) from error
        return meta, State(weights, meta["layers"])

    def _compare(self, saved: dict[str, Any], now: dict[str, Any]) -> None:
        differences = [
            f"{name} {saved.get(name, 'absent')} (now {now.get(name, 'absent')})"
            for name in saved | now
            if saved.get(name) != now.get(name)
        ]
        if differences:
            more = f", and {len(differences) - 5} more" if len(differences) > 5 else ""
            raise ValueError(
                f"{self.path}: the checkpoint of another run: {', '.join(differences[:5])}{more}. It was left "
                "as it is: repeat that run's arguments, or give another path"
            )


def _parts(state: State) -> dict[str, Any]:
    shapes = {f"weights {name}": array.shape for name, array in state.weights.items()}
    return shapes | {f"layer {number}": layer for number, layer in enumerate(state.layers, 1)}
