"""Notebooks run, what is committed is compared with its sources, and the command is one that can be understood."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import small_book
from small_book import NOTEBOOKS, bookweave, change, code, files, notebook

PROSE, CELLS = "book/en/net.md", "book/cells/net/pytorch.py"
EN, JA = "en/pytorch/net.ipynb", "ja/pytorch/net.ipynb"


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """The small book after `run`, and what was said: a kernel for each notebook, so once for all tests."""
    root = small_book.write(tmp_path_factory.mktemp("ran"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BOOK_PROFILE", "")  # `run` sets it for its kernels: put it back afterwards
        said = bookweave(root, "run", "--profile", "smoke")
    assert said.code == 0, said.err
    return root, said


@pytest.fixture
def ran(once, tmp_path):
    """A copy of the book that has run, for the test to spoil."""
    return shutil.copytree(once[0], tmp_path / "book")


def test_a_run_fills_every_cell_and_records_what_it_ran_on(once):
    root, said = once
    for name in NOTEBOOKS:
        assert f"wrote notebooks/{name}\n" in said.out
        assert all(cell.execution_count for cell in code(root, name).values())
        record = notebook(root, name).metadata.bookweave.run
        assert (record.device, record.profile) == ("dæmon", "smoke")
        assert len(record.date) == len("2026-11-24")
    assert "en/mxnet/net  2/3  model  " in said.err


def test_a_run_shows_what_each_backend_says(once):
    for backend in ("mxnet", "pytorch", "tensorflow"):
        cells = code(once[0], f"en/{backend}/net.ipynb")
        assert cells["model"].outputs[0].text == f"{backend}\n"
        assert cells["shared"].outputs[0].text == "the same\n"
    assert code(once[0])["extra"].outputs[0].data["text/plain"] == "42"
    assert notebook(once[0]).cells[0].outputs == []  # the setup cell is for elsewhere


@pytest.mark.skipif(sys.platform == "win32", reason="a terminal's Ctrl-C is another thing on Windows")
def test_ctrl_c_ends_a_run_in_a_line_and_leaves_the_notebook(ran):
    change(ran, "book/cells/net/all.py", ('print("the same")', "import time\n\ntime.sleep(60)"))
    before = files(ran)
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs are deaf to it; so are theirs
    command = [Path(sys.executable).with_name("bookweave"), "run", "--chapter", "net"]
    with subprocess.Popen(command, cwd=ran, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert next(line for line in process.stderr if "shared" in line)
        os.killpg(process.pid, signal.SIGINT)
        said = process.communicate(timeout=30)[1]
    signal.signal(signal.SIGINT, heard)
    assert (process.returncode, said.splitlines()) == (
        1,
        [f"notebooks/{EN.replace('pytorch', 'mxnet')}: interrupted; the notebook is left as it was", "Aborted!"],
    )
    assert files(ran) == before


@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name.startswith("en")])
def test_the_editions_have_the_same_outputs_and_record(once, name):
    twin = name.replace("en/", "ja/")
    assert code(once[0], name) == code(once[0], twin)
    assert notebook(once[0], name).metadata == notebook(once[0], twin).metadata


def test_building_after_a_run_changes_nothing(ran):
    before = files(ran)
    assert bookweave(ran, "build", "--notebooks") == (0, "", "")
    assert files(ran) == before


def test_a_failing_cell_leaves_the_notebook_as_it_was(ran):
    change(ran, CELLS, ('print("pytorch")', "def divide(one):\n    return one / 0\n\n\ndivide(1)"))
    before = files(ran)
    said = bookweave(ran, "run", "--backend", "pytorch", "--chapter", "net")
    assert said.code == 1
    path, source = ran / "notebooks" / EN, ran / CELLS
    assert f"Error: {path}: cell 'model' ({source}:4) failed" in said.err
    assert "return one / 0" in said.err
    assert said.err.rstrip().endswith("ZeroDivisionError: division by zero")
    assert files(ran) == before


def test_where_one_backend_fails_the_others_still_run(ran):
    change(ran, CELLS, ('print("pytorch")', "raise ImportError('no wheel here')"))
    said = bookweave(ran, "run", "--chapter", "net")
    assert said.code == 1
    assert "ImportError: no wheel here" in said.err
    written = ["en/mxnet/net", "ja/mxnet/net", "en/tensorflow/net", "ja/tensorflow/net"]
    assert said.out.splitlines() == [f"wrote notebooks/{name}.ipynb" for name in written]


def test_a_cell_named_record_keeps_its_own_output(ran):
    for name in ("book/en/sums.md", "book/ja/sums.md"):
        change(ran, name, ("} add", "} record"))
    change(ran, "book/cells/sums/python.py", ("%% add", "%% record"))
    assert bookweave(ran, "run", "--chapter", "sums").code == 0
    assert code(ran, "en/python/sums.ipynb")["record"].outputs[0].data["text/plain"] == "2"


def test_check_is_content_after_a_run(ran):
    before = files(ran)
    assert bookweave(ran, "check") == (0, "", "")
    assert files(ran) == before


def test_check_is_not_content_before_any_run(woven):
    said = bookweave(woven, "check")
    assert (said.code, len(said.err.splitlines())) == (1, len(NOTEBOOKS))


def edited(name, do):
    def edit(root):
        changed = notebook(root, name)
        do({cell.id: cell for cell in changed.cells})
        (root / "notebooks" / name).write_text(nbformat.writes(changed) + "\n", "utf-8")

    return edit


def edit_output(cells):
    cells["model"].outputs[0].text = "pytorch!\n"


def delete_output(cells):
    cells["model"].outputs = []


def delete_record(root):
    changed = notebook(root, EN)
    del changed.metadata.bookweave["outputs"]
    (root / "notebooks" / EN).write_text(nbformat.writes(changed) + "\n", "utf-8")


def delete_count(cells):
    cells["model"].execution_count = None


def edit_code(cells):
    cells["extra"].source = "6 * 9"


def copied(root):
    shutil.copy(root / "notebooks" / EN, root / "notebooks/en/pytorch/copy.ipynb")


SPOILT = {  # what is done, and which notebooks must be named
    "cell": (lambda root: change(root, CELLS, ("7 * 6", "6 * 9")), [EN, JA]),
    "prose": (lambda root: change(root, PROSE, ("Windows", "Panes")), [EN]),
    "second prose": (lambda root: change(root, "book/ja/net.md", ("網", "網目")), [JA]),
    "repository": (lambda root: change(root, "_config.yml", ("a-fork", "b-fork")), NOTEBOOKS),
    "output edited": (edited(EN, edit_output), [EN]),
    "output deleted": (edited(EN, delete_output), [EN]),
    "count deleted": (edited(EN, delete_count), [EN]),
    "record deleted": (delete_record, [EN]),
    "code edited": (edited(EN, edit_code), [EN]),
    "second output edited": (edited(JA, edit_output), [JA]),
    "second output deleted": (edited(JA, delete_output), [JA]),
    "second count deleted": (edited(JA, delete_count), [JA]),
    "second code edited": (edited(JA, edit_code), [JA]),
    "missing": (lambda root: (root / "notebooks" / EN).unlink(), [EN]),
    "second missing": (lambda root: (root / "notebooks" / JA).unlink(), [JA]),
    "stray": (copied, ["en/pytorch/copy.ipynb"]),
}


@pytest.mark.parametrize("spoil", SPOILT)
def test_check_names_what_is_not_as_its_sources_say(ran, spoil):
    do, expected = SPOILT[spoil]
    do(ran)
    before = files(ran)
    said = bookweave(ran, "check")
    assert (said.code, said.out) == (1, "")
    assert {line.split(": ")[0] for line in said.err.splitlines()} >= {str(ran / "notebooks" / n) for n in expected}
    assert files(ran) == before


def test_checkpoints_of_an_editor_are_no_strays(ran):
    folder = ran / "notebooks/en/pytorch/.ipynb_checkpoints"
    folder.mkdir()
    shutil.copy(ran / "notebooks" / EN, folder)
    assert bookweave(ran, "check").code == 0


def test_the_installed_command_ends_with_0_1_or_2(root):
    def command(*arguments):
        path = Path(sys.executable).with_name("bookweave")
        done = subprocess.run([path, *arguments], cwd=root, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    assert command("build", "--notebooks")[0] == 0
    status, out, err = command("check")
    assert (status, out) == (1, "")
    assert "run `bookweave run --backend pytorch --chapter net`" in err
    assert command("weave")[0] == 2
    change(root, PROSE, ("} extra", "} model"))
    assert command("build") == (1, "", f"Error: {root / PROSE}:35: expected every cell once, got 'model' again\n")


@pytest.mark.parametrize(
    "words",
    [
        "--nope",
        "run --chapter nets",
        "run --backend jax",
        "run --backend mxnet --chapter sums",
        "build now",
        "check --all",
    ],
)
def test_what_is_not_understood_ends_with_2(root, words):
    said = bookweave(root, *words.split())
    assert said.code == 2
    assert "Usage: bookweave" in said.err


def test_a_folder_without_a_book(tmp_path):
    said = bookweave(tmp_path, "build")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"Error: {tmp_path / '_config.yml'}: expected the settings of a book, got: ")


HELP = {
    "": ["build", "run", "check", "book/<language>", "Exit codes: 0"],
    "build": ["Weave every notebook", "draw the site", "--notebooks"],
    "run": ["Execute notebooks", "--backend", "--chapter", "--profile", "smoke"],
    "check": ["Compare the committed notebooks", "Writes nothing"],
}


@pytest.mark.parametrize("name", HELP)
def test_help_teaches_even_where_there_is_no_book(tmp_path, name):
    said = bookweave(tmp_path, *name.split(), "--help")
    assert (said.code, said.err) == (0, "")
    text = " ".join(said.out.split())
    assert [word for word in HELP[name] if word not in text] == []
