"""The small book, written into the folder of a test."""

import pytest


@pytest.fixture
def root(tmp_path):
    """The folder of a small valid book."""
    import small_book  # here: the tests of the package need nothing of the tool

    return small_book.write(tmp_path / "book")


@pytest.fixture
def woven(root):
    """The small book with its notebooks, none of them run."""
    import small_book

    assert small_book.bookweave(root, "build", "--notebooks").code == 0
    return root
