"""The chapters Exercises and Solutions: the hints of the package, blanks that are named, checks that pass."""

import re

import pytest
from committed import BOOK, code, printed

from alexbook.exercises._judge import PARTS
from alexbook.exercises._words import text

TRAINED = ("1", "2.1", "2.2", "3", "5")  # what a short profile may leave open

every_notebook = pytest.mark.parametrize(
    ("language", "backend"), [(language, each) for language in BOOK.languages for each in BOOK.backends("exercises")]
)


def said(language, backend, chapter):
    """What each part's check has printed in a committed notebook."""
    cells = code(language, backend, chapter)
    return {part: printed(cells[f"check-{part.replace('.', '-')}"]) for part in PARTS}


@every_notebook
def test_a_starter_says_of_each_part_that_something_is_missing(language, backend):
    for part, words in said(language, backend, "exercises").items():
        assert words.startswith(text("verdict.missing", language, part=part)), words


@every_notebook
def test_each_part_of_a_solution_passes_or_waits_for_a_longer_run(language, backend):
    for part, words in said(language, backend, "solutions").items():
        verdicts = ["verdict.passed", "verdict.open"] if part in TRAINED else ["verdict.passed"]
        assert words.startswith(tuple(text(verdict, language, part=part) for verdict in verdicts)), words


@pytest.mark.parametrize("language", BOOK.languages)
@pytest.mark.parametrize("part", PARTS)
def test_the_page_folds_the_hints_that_the_package_gives(language, part):
    page = BOOK.prose(language, "exercises").read_text("utf-8")
    folded = re.findall(r"^:::\{dropdown\} .*\n((?:(?!:::).*\n)*):::$", page, re.M)
    bare = ["".join(each.replace("`", "").split()) for each in folded]
    for number in (1, 2, 3):
        assert "".join(text(f"hint.{part}.{number}", language).split()) in bare


@pytest.mark.parametrize("language", BOOK.languages)
def test_each_part_leads_to_its_worked_answer(language):
    page = BOOK.prose(language, "exercises").read_text("utf-8")
    assert len(re.findall(r"\]\(solutions\.md#cell-id=[a-z-]+\)", page)) == len(PARTS)
