"""What is wrong in the sources is told with its file and line, and then no notebook changes."""

import pytest
from small_book import bookweave, change, files

NET, JA, TORCH = "book/en/net.md", "book/ja/net.md", "book/cells/net/pytorch.py"
BOTH = ("book/en/net.md", "book/ja/net.md")
EXTRA = "```{cell} extra\n```\n"
BOX = f"{EXTRA}\n:::{{note}}\nHi\n"
MISTAKES = {  # what is replaced in which file, and what is said of it
    "unknown cell": (BOTH, "} shared", "} shade", f"{NET}:32: expected a cell 'shade' for mxnet in "),
    "unknown to one": (TORCH, "%% extra", "%% more", f"{NET}:35: expected a cell 'extra' for pytorch in "),
    "unused": (TORCH, "# %% extra", "# %% odd\n3\n\n# %% extra", f"{TORCH}:7: expected the prose to name cell 'odd'"),
    "twice in prose": (NET, "} extra", "} model", f"{NET}:35: expected every cell once, got 'model' again"),
    "twice in code": (TORCH, "%% extra", "%% model", f"{TORCH}:7: expected every id once, got 'model' again"),
    "shared and own": (TORCH, "%% extra", "%% shared", f"{TORCH}:7: expected 'shared' here or in all.py, got both"),
    "no id": (TORCH, "%% extra", "%%", f"{TORCH}:7: expected code titled"),
    "bad id": (TORCH, "%% extra", "%% Extra_1", f"{TORCH}:7: expected code titled"),
    "text cell": (TORCH, "%% extra", "%% extra [markdown]", f"{TORCH}:7: expected code titled"),
    "tags of no kind": (TORCH, "%% extra", "%% extra tags=5", f"{TORCH}: expected cells in Jupytext's percent format"),
    "bad id in prose": (NET, "} extra", "} Extra_1", f"{NET}:35: expected {{cell}} a-kebab-case-id"),
    "body": (NET, "} extra\n", "} extra\n7 * 6\n", f"{NET}:35: expected {{cell}} a-kebab-case-id and no body"),
    "unclosed cell": (NET, EXTRA, "```{cell} extra\n", f"{NET}:35: expected a closing ```, got the end"),
    "unclosed box": (NET, EXTRA, BOX, f"{NET}:38: expected a closing :::, got the end"),
    "cells out of step": (JA, "} extra", "} other", f"{JA}:35: expected cell 'extra' as in "),
    "cell missing": (JA, EXTRA, "", f"{JA}: expected cell 'extra' as in "),
    "headings": (JA, "## A p", "### A p", f"{JA}: expected headings of levels 12 as in "),
    "citation": (BOTH, "alone2012", "alone2013", f"{NET}:3: expected a key of references.bib, got 'alone2013'"),
    "citation in a box": (BOTH, "t}`crowd2017", "t}`crow", f"{NET}:19: expected a key of references.bib, got 'crow'"),
    "figure": (BOTH, "} ../figures/dot", "} ../figures/dash", f"{NET}:24: expected a picture, found none at "),
    "picture": (BOTH, "](../figures/dot", "](../figures/dash", f"{NET}:30: expected a picture, found none at "),
    "one citation less": (JA, "alone2012, ", "", f"{JA}: expected 'alone2012' 1 times, as in "),
    "one citation more": (JA, "says {cite:t}`crowd", "{cite:p}`crowd2017, crowd", f"{JA}:3: expected 'crowd2017' 2 "),
    "another figure": (JA, "} ../figures/dot", "} ../figures/dash", f"{JA}:24: expected '../figures/dash.svg' 0 times"),
    "one figure less": (JA, "![A dot again]", "[A dot again]", f"{JA}:24: expected '../figures/dot.svg' 2 times"),
    "a claim": (NET, "How large", "Huge [citation needed]. How large", f"{NET}:10: expected a citation, got [cit"),
    "a claim in Japanese": (JA, "考えてみよう。", "巨大[要出典]。", f"{JA}:12: expected a citation, got [要出"),
    "no such figure": (NET, "How large", "See {numref}`fig-dash`. How", f"{NET}:10: expected the name of a figure"),
    "BibTeX": ("book/references.bib", "year = {2012}, ", "year = {2012", "book/references.bib: expected BibTeX, got"),
    "no year": ("book/references.bib", "year = {2012}, ", "", "book/references.bib: expected "),
    "toc": ("_toc.yml", "en/sums", "en/sons", "book/en/sons.md: expected a readable text in UTF-8, got: No such file"),
    "toc twice": ("_toc.yml", "en/sums", "en/net", "_toc.yml: expected "),
    "toc YAML": ("_toc.yml", "format:", "format: [", "_toc.yml: expected the settings of a book"),
    "config YAML": ("_config.yml", "title:", "title: [", "_config.yml: expected the settings of a book"),
    "setting": ("_config.yml", "    bookweave:", "    bookwoven:", "_config.yml: expected the setting"),
    "repository": ("_config.yml", "branch:", "bunch:", "_config.yml: expected the setting 'branch'"),
    "no languages": ("_config.yml", "{en: English, ja: 日本語}", "{}", "_config.yml: expected 'languages' to be"),
    "requires": ("_config.yml", "mxnet: [d2l==1.0.3, mxnet==1.9.1]", "mxnet: d2l", "_config.yml: expected the pack"),
    "titles": ("_config.yml", "ja: 小さな本", "fr: Un livre", "_config.yml: expected a title for ja in 'titles'"),
    "no bibliography": ("_config.yml", "[book/references.bib]", "[]", "_config.yml: expected 'bibtex_bibfiles' to be"),
    "languages": ("_config.yml", "languages:", "tongues:", "_config.yml: expected the setting 'languages'"),
}  # fmt: skip


def told(root, expected, *command):
    """Run a command that must end with 1 and one message, and leave every notebook as it is."""
    before = files(root)
    said = bookweave(root, *(command or ("build", "--notebooks")))
    assert (said.code, said.out) == (1, "")
    assert f"{root}/{expected}" in said.err
    assert files(root) == before


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_with_its_place(woven, mistake):
    names, old, new, expected = MISTAKES[mistake]
    change(woven, "book/en/sums.md", ("# Sums", "# Additions"))  # what would be woven, were there no mistake
    for name in (names,) if isinstance(names, str) else names:
        change(woven, name, (old, new))
    told(woven, expected)


@pytest.mark.parametrize("name", [NET, TORCH, "_toc.yml", "_config.yml", "book/references.bib"])
def test_a_file_that_is_not_utf8(woven, name):
    (woven / name).write_bytes(b"# caf\xe9\n")
    told(woven, f"{name}: expected ")


def test_a_file_for_an_unknown_backend(woven):
    (woven / "book/cells/net/jax.py").write_text("# %% extra\n1\n")
    told(woven, "book/cells/net/jax.py: expected a file named for a backend")


def test_a_chapter_without_its_code(woven):
    (woven / "book/cells/sums/python.py").unlink()
    told(woven, "book/en/sums.md:5: expected code in ")


def test_notebooks_that_cannot_be_written(root):
    (root / "notebooks").write_text("a file, not a folder")
    told(root, "notebooks")


DAMAGES = {
    "cut": lambda content: content[:-100],
    "not UTF-8": lambda content: b"\xff" + content,
    "empty": lambda content: b"",
    "an object": lambda content: b"{}",
    "a list": lambda content: b"[]",
    "no ids": lambda content: content.replace(b'"id"', b'"di"'),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["notebooks/en/pytorch/net.ipynb", "notebooks/ja/pytorch/net.ipynb"])
def test_check_tells_of_a_damaged_notebook(woven, damage, name):
    (woven / name).write_bytes(DAMAGES[damage]((woven / name).read_bytes()))
    told(woven, f"{name}: ", "check")


@pytest.mark.parametrize("damage", DAMAGES)
def test_weaving_loses_no_outputs_to_damage(woven, damage):
    name = "notebooks/en/pytorch/net.ipynb"  # the first language's holds the outputs
    (woven / name).write_bytes(DAMAGES[damage]((woven / name).read_bytes()))
    told(woven, f"{name}: ")


@pytest.mark.parametrize("damage", DAMAGES)
def test_weaving_repairs_what_holds_nothing_of_its_own(woven, damage):
    path = woven / "notebooks/ja/pytorch/net.ipynb"
    whole = path.read_bytes()
    path.write_bytes(DAMAGES[damage](whole))
    assert bookweave(woven, "build", "--notebooks").code == 0
    assert path.read_bytes() == whole
