"""One source of cells gives a solution and a starter; and a chapter may have outputs in each language's own words."""

from importlib.machinery import ModuleSpec

import pytest
from small_book import bookweave, change, code, files, notebook

CELLS = """\
# %% sum
def total(a, b):
    #| blank: return ...
    c = a + b
    return c
    #| end


print(total(1, 2))

# %% two
#| blank: first = ...
first = 1
#| end
middle = 2
#|blank:   last = ...  # what comes after 2?
last = 3
#| end

# %% whole
#| blank: area = ...
def area(r):
    return 3 * r * r


#| end
print(area)

# %% plain
import os

print(os.environ["ALEXBOOK_LANGUAGE"])
"""
PROSE = "# {}\n\n```{{cell}} sum\n```\n\n```{{cell}} two\n```\n\n```{{cell}} whole\n```\n"
PLAIN = "\n```{cell} plain\n```\n"
SETTINGS = "      starters: {tasks: answers}\n      own_outputs: [tasks, answers]\n"


@pytest.fixture
def school(root):
    """The small book with two more chapters: tasks, of which answers is the solution. Tasks names one cell less."""
    change(root, "_config.yml", ("      record:", f"{SETTINGS}      record:"))
    change(root, "_toc.yml", ("en/sums\n", "en/sums\n  - file: book/en/tasks\n  - file: book/en/answers\n"))
    for language in ("en", "ja"):
        (root / f"book/{language}/tasks.md").write_text(PROSE.format("Tasks"))
        (root / f"book/{language}/answers.md").write_text(PROSE.format("Answers") + PLAIN)
    (root / "book/cells/answers").mkdir()
    (root / "book/cells/answers/python.py").write_text(CELLS)
    return root


def sources(root, chapter):
    assert bookweave(root, "build", "--notebooks").code == 0
    return {id_: cell.source for id_, cell in code(root, f"en/python/{chapter}.ipynb").items()}


def test_the_solution_is_without_the_marks(school):
    assert sources(school, "answers") == {
        "sum": "def total(a, b):\n    c = a + b\n    return c\n\n\nprint(total(1, 2))",
        "two": "first = 1\nmiddle = 2\nlast = 3",
        "whole": "def area(r):\n    return 3 * r * r\n\n\nprint(area)",
        "plain": 'import os\n\nprint(os.environ["ALEXBOOK_LANGUAGE"])',
    }


def test_a_cell_that_a_blank_ends_has_no_empty_lines_after_it(school):
    change(school, "book/cells/answers/python.py", ("#| end\nprint(area)\n", "#| end\n"))
    assert sources(school, "answers")["whole"] == "def area(r):\n    return 3 * r * r"
    assert sources(school, "tasks")["whole"] == "area = ..."


def test_the_starter_has_the_blanks_and_only_the_cells_that_its_prose_names(school):
    assert sources(school, "tasks") == {
        "sum": "def total(a, b):\n    return ...\n\n\nprint(total(1, 2))",
        "two": "first = ...\nmiddle = 2\nlast = ...  # what comes after 2?",
        "whole": "area = ...\nprint(area)",
    }


def test_a_solution_has_no_cell_that_its_prose_does_not_name(school):
    for language in ("en", "ja"):
        change(school, f"book/{language}/answers.md", (PLAIN, ""))
    said = bookweave(school, "build", "--notebooks")
    assert f"{school}/book/cells/answers/python.py:29: expected the prose to name cell 'plain'" in said.err


def test_marks_stand_in_any_chapter(root):
    change(root, "book/cells/sums/python.py", ("1 + 1", "#| blank: ...\n1 + 1\n#| end"))
    assert sources(root, "sums") == {"add": "1 + 1"}


MARKS = {  # what is replaced, the line that is told, and what is expected there
    "unclosed": ("    return c\n    #| end\n", "    return c\n", 3, "expected a line `#| end` in the same cell"),
    "unclosed at the end": ("def area(r):\n", "#| end\n#| blank: x\n", 23, "expected a line `#| end` in the same cell"),
    "no blank": ("middle = 2\n", "#| end\n", 15, "expected `#| blank: what a starter has there`, got '#| end'"),
    "nothing there": ("blank: first = ...", "blank:", 12, "expected `#| blank: what a starter has there`, got '#| bl"),
    "another word": ("blank: area = ...", "hide", 21, "expected `#| blank: what a starter has there`, got '#| hide'"),
    "one in another": ("first = 1\n", "#| blank: x\n", 13, "expected `#| end` of the blank in line 12, got '#| blank"),
}


@pytest.mark.parametrize("mistake", MARKS)
@pytest.mark.parametrize("chapter", ["answers", "tasks"])
def test_a_mark_out_of_place_is_told_with_its_line(school, mistake, chapter):
    old, new, line, expected = MARKS[mistake]
    text = CELLS.replace(old, new)
    assert text != CELLS
    if mistake == "unclosed at the end":
        text = text[: text.rindex("#| end")]
    (school / "book/cells/answers/python.py").write_text(text)
    if chapter == "tasks":  # alone: so it is the one that is read
        change(
            school, "_toc.yml", ("book/en/answers", "book/en/tasks"), ("en/tasks\n  - file: book/en/tasks", "en/tasks")
        )
        change(school, "_config.yml", ("{tasks: answers}", "{}"), ("tasks, answers", "tasks"))
        (school / "book/cells/answers").rename(school / "book/cells/tasks")
    before = files(school)
    said = bookweave(school, "build", "--notebooks")
    assert (said.code, files(school)) == (1, before)
    assert f"/python.py:{line}: {expected}" in said.err


SETTING = {
    "no chapter": ("starters: {tasks: answers}", "starters: {tasks: replies}", "_config.yml: expected 'starters' and"),
    "no chapter here": ("[tasks, answers]", "[task]", "_config.yml: expected 'starters' and 'own_outputs' to name"),
    "a list": ("starters: {tasks: answers}", "starters: [tasks]", "_config.yml: expected 'starters' to be a dict"),
    "a word": ("[tasks, answers]", "tasks", "_config.yml: expected 'own_outputs' to be a list, got 'tasks'"),
    "nested": ("[tasks, answers]", "[[tasks]]", "_config.yml: expected 'starters' and 'own_outputs' to name chapters"),
}


@pytest.mark.parametrize("mistake", SETTING)
def test_a_wrong_setting_is_told(school, mistake):
    old, new, expected = SETTING[mistake]
    change(school, "_config.yml", (old, new))
    said = bookweave(school, "build", "--notebooks")
    assert said.code == 1
    assert f"{school}/{expected}" in said.err


def test_a_starter_with_cells_of_its_own(school):
    (school / "book/cells/tasks").mkdir()
    said = bookweave(school, "build", "--notebooks")
    assert f"{school}/book/cells/tasks: expected no cells of its own for 'tasks'; a starter has those of" in said.err


def test_a_chapter_runs_once_in_each_language_if_its_outputs_are_its_own(school):
    said = bookweave(school, "run", "--chapter", "answers", "--chapter", "tasks", "--chapter", "sums")
    assert said.code == 0, said.err
    printed = [code(school, f"{lang}/python/answers.ipynb")["plain"].outputs[0].text for lang in ("en", "ja")]
    assert printed == ["en\n", "ja\n"]
    assert "Ellipsis" in code(school, "ja/python/tasks.ipynb")["sum"].outputs[0].text
    assert code(school, "ja/python/answers.ipynb")["sum"].outputs[0].text == "3\n"
    assert "en/python/sums  1/1  add" in said.err
    assert "ja/python/sums  1/1  add" not in said.err
    before = files(school)
    assert bookweave(school, "build", "--notebooks").code == 0  # writes the chapter that did not run
    after = files(school)
    assert {name: after[name] for name in before} == before
    told = bookweave(school, "check").err
    assert "answers" not in told and "tasks" not in told


def test_where_one_language_fails_no_notebook_changes(school):
    change(
        school,
        "book/cells/answers/python.py",
        ("import os\n", "import os\n\nassert os.environ['ALEXBOOK_LANGUAGE'] == 'en'"),
    )
    before = files(school)
    said = bookweave(school, "run", "--chapter", "answers")
    assert said.code == 1
    assert f"Error: {school}/notebooks/ja/python/answers.ipynb: cell 'plain'" in said.err
    assert files(school) == before


def test_check_finds_an_edited_output_in_either_language(school):
    assert bookweave(school, "run", "--chapter", "answers").code == 0
    path = school / "notebooks/ja/python/answers.ipynb"
    assert "ja\\n" in path.read_text()
    path.write_text(path.read_text().replace('"ja\\n"', '"jp\\n"'))
    assert f"{path}: its outputs are not those of its run" in bookweave(school, "check").err


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_setup_cell_says_in_which_language_to_answer(school, language, monkeypatch):
    bookweave(school, "build", "--notebooks")
    monkeypatch.setenv("ALEXBOOK_LANGUAGE", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: ModuleSpec(name, None, origin="__init__.py"))
    space = {}
    exec(notebook(school, f"{language}/python/tasks.ipynb").cells[0].source, space)
    assert space["os"].environ["ALEXBOOK_LANGUAGE"] == language
