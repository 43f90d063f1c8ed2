"""The committed notebooks: run, fresh, small, alike in all frameworks, and compared by nbval for real."""

import os
import re
import statistics
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from committed import BOOK, code, notebook, printed

from alexbook import bench
from bookweave import check
from bookweave.book import PLAIN
from bookweave.sources import ABSENT, Place, read_chapter, read_prose

ROOT = Path(__file__).parents[1]
CHECKED = "nbval-check-output"
NAMES = [(backend, chapter) for chapter in BOOK.chapters for backend in BOOK.backends(chapter)]
RAN = [(language, *name) for name in NAMES for language in BOOK.executed(name[1])]
THREE = sorted({chapter for backend, chapter in NAMES if backend != PLAIN})


def test_they_are_what_their_sources_and_runs_say():
    assert list(check.problems(BOOK)) == []


@pytest.mark.parametrize("language", BOOK.languages)
@pytest.mark.parametrize(("backend", "chapter"), NAMES)
def test_every_cell_has_run_and_every_compared_cell_has_something_to_compare(language, backend, chapter):
    cells = code(language, backend, chapter)
    assert [cell.execution_count for cell in cells.values()] == list(range(1, len(cells) + 1))
    compared = [id_ for id_, cell in cells.items() if CHECKED in cell.metadata.get("tags", ())]
    assert compared or chapter in ("training", "better")  # whose numbers come with the profile, and are no shapes
    # nbval passes over pictures, and over cells without a count.
    assert [id_ for id_ in compared if not printed(cells[id_]).strip()] == []


@pytest.mark.parametrize(("language", "backend", "chapter"), RAN)
def test_no_output_is_an_error_or_noise(language, backend, chapter):
    outputs = [output for cell in code(language, backend, chapter).values() for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []


@pytest.mark.parametrize(("language", "backend", "chapter"), RAN)
def test_the_run_is_on_record(language, backend, chapter):
    run = notebook(language, backend, chapter).metadata.bookweave.run
    expected = {"python", "date"}
    if backend != PLAIN:
        expected |= {"version", "device"}
        assert run.backend == backend
    if chapter in ("representation", "training", "small", "better", "solutions"):
        expected |= {"profile", "data", "seed", "images", "epochs", "seconds"}
        assert run.profile in ("quick", "full")
        assert "sample" not in run.data
    assert [fact for fact in expected if run.get(fact) is None] == []


@pytest.mark.parametrize(
    ("chapter", "cell"),
    [
        ("before-2012", "measure"),
        *(("representation", cell) for cell in ("visible", "fields")),
        *(("hardware", cell) for cell in ("intensity", "paper", "days", "memory")),
        *(("lenet", cell) for cell in ("parameters", "against-alexnet")),
        *(("alexnet", cell) for cell in ("parameters", "macs", "slopes")),
        ("dataset", "shrink"),
        *(("dropout", cell) for cell in ("layer", "gradient")),
        ("augmentation", "compare"),
        *(("original", cell) for cell in ("groups", "parameters", "savings", "answer")),
        *(("same-answer", cell) for cell in ("logits", "padding-trap", "gradients", "sum-order", "wrong-order")),
        *(("solutions", cell) for cell in ("bytes-table", "work-table", "training-traffic", "differences", "shapes")),
    ],
)
def test_the_frameworks_print_the_same(chapter, cell):
    said = {backend: printed(code("en", backend, chapter)[cell]) for backend in BOOK.backends(chapter)}
    assert len(set(said.values())) == 1, said


@pytest.mark.parametrize("chapter", ["representation", "training", "same-answer", "speed"])
@pytest.mark.parametrize("backend", BOOK.backends("alexnet"))
def test_the_network_is_that_of_its_own_chapter(backend, chapter):
    assert code("en", backend, chapter)["model"].source == code("en", backend, "alexnet")["model"].source


def test_the_parts_whose_speed_is_measured_make_up_the_network():
    source = code("en", "pytorch", "speed")["products"].source
    first, other, connected = map(int, re.findall(r"\d+_\d+_\d+", source))
    assert first == 54**2 * 96 * 11**2
    assert connected == 6400 * 4096 + 4096**2 + 4096 * 10
    assert first + other + connected == 938_146_176
    assert 4 * first + 6 * (other + connected) == bench.OPERATIONS


@pytest.mark.parametrize("chapter", THREE)
def test_parallel_cells_have_the_same_names_in_the_same_order(chapter):
    cells = read_chapter(BOOK, chapter)
    for backend in BOOK.backends(chapter):
        absent = [id_ for id_, cell in cells[backend].items() if ABSENT in cell.tags]
        places = [part.id for part in read_prose(BOOK.prose("en", chapter)) if isinstance(part, Place)]
        assert list(code("en", backend, chapter)) == [id_ for id_ in places if id_ not in absent]


def lengths(backend, chapter):
    """Lines, without the empty ones that the formatter puts around a function."""
    cells = code("en", backend, chapter).items()
    return {id_: sum(map(bool, map(str.strip, cell.source.splitlines()))) for id_, cell in cells}


@pytest.mark.parametrize(("backend", "chapter"), NAMES)
def test_no_cell_and_no_chapter_is_long(backend, chapter):
    assert [id_ for id_, count in lengths(backend, chapter).items() if count > 30 and id_ != "model"] == []
    assert sum(lengths(backend, chapter).values()) <= 300


@pytest.mark.parametrize("backend", BOOK.settings["backends"])
def test_most_cells_are_short(backend):
    names = [name for name in NAMES if name[0] in (backend, PLAIN)]
    assert statistics.median([count for name in names for count in lengths(*name).values()]) <= 6


def nbval(path):
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "-q", "-p", "no:cacheprovider"]
    environment = os.environ | {"ALEXBOOK_PROFILE": "smoke"}
    return subprocess.run([*command, path], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_nbval_fails_when_a_digit_of_a_stored_shape_changes(tmp_path):
    alexnet = notebook("en", "pytorch", "alexnet")
    # The shapes, and the cells that they need: the rest would only take time.
    alexnet.cells = [cell for cell in alexnet.cells if cell.id in ("imports", "model", "shapes")]
    path = tmp_path / "copy.ipynb"
    nbformat.write(alexnet, path)
    unchanged = nbval(path)
    assert unchanged.returncode == 0, unchanged.stdout
    output = alexnet.cells[-1].outputs[0]
    assert "(1, 96, 54, 54)" in output.text
    output.text = output.text.replace("(1, 96, 54, 54)", "(1, 96, 54, 55)", 1)
    nbformat.write(alexnet, path)
    changed = nbval(path)
    assert changed.returncode == 1
    assert "1 failed, 2 passed" in changed.stdout
