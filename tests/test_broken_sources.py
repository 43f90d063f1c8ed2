"""However broken the sources are, the weaver ends with a message, and every notebook is whole: the old or the new."""

import nbformat
import pytest
import small_book
from hypothesis import HealthCheck, example, given, settings, strategies
from small_book import SOURCES, bookweave, files

PIECES = [  # what Markdown, MyST, Jupytext, YAML or BibTeX may stumble over
    "```", "````", ":::", "$$", "---", "# ", "## ", "> ", "- ", "| a |", "<details>", "[^1]", "<!--",
    "\t", "    ", "\r", "\x0c", "\u2028", "\x00",
    "```{cell} model\n```", "```{cell} shared\n```", "```{cell}", "```python\n1\n```", "{cell}",
    ":alt:", ":::{note}", ":::{dropdown} x\n:::", ":::{figure} ../figures/dot.svg\n:alt: x\ny\n:::",
    "![x](../figures)", "![](<>)", "[x](.md)",
    "{cite:p}``", "{cite:t}`alone2012`", "{cite:t}`pair1998, `", "{cite:p}`\nx`",
    "# %%", "# %% model", "# %% [markdown]", "# %% model tags=3", '# %% x tags=["absent"]', "# + x", "# -", "# ---",
    "#| blank: x", "    #| blank: y", "#| end", "#|",
    '"""', "%magic", "!ls",
    "- file: book/en/sums", "chapters:", "root: x", "2026-13-45", "[", "{", "}", ":", "*x", "&x", "null", "~",
    "@comment{x}", "author = {}", "@article{alone2012,}", '"',
]  # fmt: skip
TEXT = strategies.text(strategies.characters(codec="utf-8"), max_size=8) | strategies.sampled_from(PIECES)
EDIT = strategies.tuples(
    strategies.sampled_from(["insert", "replace", "delete", "line", "drop", "twice"]),
    strategies.integers(0, 10_000),
    TEXT,
)
FAST = settings(
    max_examples=25,
    deadline=None,  # a loaded machine is no failure
    derandomize=True,  # the same examples on every machine; a failing one is printed
    print_blob=False,
    suppress_health_check=[HealthCheck.too_slow],
)


def edited(text, edits):
    """Change characters or lines of a text."""
    for kind, place, new in edits:
        lines, at, row = text.splitlines(keepends=True), place % (len(text) + 1), place % (text.count("\n") + 1)
        match kind:
            case "insert":
                text = text[:at] + new + text[at:]
            case "replace":
                text = text[:at] + new + text[at + 1 + place % 7 :]
            case "delete":
                text = text[:at] + text[at + 1 + place % 7 :]
            case "line":
                text = "".join([*lines[:row], new, "\n", *lines[row:]])
            case "drop":
                text = "".join([*lines[:row], *lines[row + 1 :]])
            case "twice":
                text = "".join([*lines[: row + 1], *lines[row:]])
    return text


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The small book, woven, and the bytes of its notebooks: restored before every example."""
    root = small_book.write(tmp_path_factory.mktemp("broken"))
    bookweave(root, "build", "--notebooks")
    return root, files(root)


def weave(book, name, text):
    """Weave the book with one file changed, and show that nothing is left by halves."""
    root, before = book
    for path, content in before.items():
        (root / "notebooks" / path).write_bytes(content)
    small_book.write(root)
    (root / name).write_text(text, "utf-8", newline="")
    said = bookweave(root, "build", "--notebooks")
    after = files(root)
    assert said.code in (0, 1)
    if said.code:
        assert said.err.startswith(f"Error: {root}")
        assert after == before
    assert after.keys() >= before.keys()
    for path, content in after.items():
        if before.get(path) != content:
            nbformat.validate(nbformat.reads(content.decode(), as_version=4))
            assert content.endswith(b"}\n")


TEXTS = [name for name in SOURCES if name.endswith((".yml", ".bib", ".md", ".py")) and name != "facts.py"]


@pytest.mark.parametrize("name", [name for name in TEXTS if "index" not in name and "flow" not in name])
@FAST
@given(edits=strategies.lists(EDIT, min_size=1, max_size=3))
def test_edits(book, name, edits):
    weave(book, name, edited(SOURCES[name], edits))


@pytest.mark.parametrize("name", ["_config.yml", "_toc.yml", "book/ja/index.md", "book/cells/net/all.py"])
@FAST
@given(pieces=strategies.lists(TEXT, max_size=6))
@example(pieces=[])
def test_any_text(book, name, pieces):
    weave(book, name, "\n".join(pieces))


@FAST
@given(edits=strategies.lists(EDIT, min_size=1, max_size=3))
def test_edits_of_a_notebook(book, edits):
    root, before = book
    name = "en/pytorch/net.ipynb"
    spoilt = edited(before[name].decode(), edits)
    (root / "notebooks" / name).write_text(spoilt, "utf-8", newline="")
    small_book.write(root)
    said = bookweave(root, "check")
    assert said.code == (spoilt.encode() != before[name]) or said.code == 1
    (root / "notebooks" / name).write_bytes(before[name])
