"""A small book for the tests of bookweave: two languages, three backends, a chapter that needs none."""

import contextlib
import io
import sys
from typing import NamedTuple
from unittest import mock

import nbformat
import pytest

from bookweave import book, cli, plain

CONFIG = """\
title: A small book
repository:
  url: https://github.com/someone/a-fork
  branch: trunk
bibtex_bibfiles: [book/references.bib]
sphinx:
  config:
    bookweave:
      languages: {en: English, ja: 日本語}
      titles: {en: A small book, ja: 小さな本}
      backends: {mxnet: MXNet, pytorch: PyTorch, tensorflow: TensorFlow}
      gpus: [pytorch, tensorflow]
      default: pytorch
      package: alexbook
      record: facts
      profile: BOOK_PROFILE
      requires:
        mxnet: [d2l==1.0.3, mxnet==1.9.1]
        pytorch: [d2l==1.0.3]
"""
TOC = """\
format: jb-book
root: book/en/index
chapters:
  - file: book/en/net
  - file: book/en/sums
"""
BIBLIOGRAPHY = """\
@article{alone2012, author = {Alone, Ann}, title = {One}, year = {2012}, doi = {10.1000/1}}
@book{pair1998, author = {One, Ann and van Two, Bob}, title = {Two}, year = {1998}, url = {https://example.org/2}}
@misc{crowd2017, author = {One, Ann and Two, Bob and Three, Cid}, title = {Three}, year = {2017}}
"""
NET = """\
# A net

Windows slide, says {cite:t}`pair1998`; more do {cite:p}`alone2012, crowd2017`.
Read [the sums](sums.md) or [elsewhere](https://example.org/a.md). Here $x^2$ is math.

```{cell} imports
```

:::{admonition} Predict first
How large is it?

Think.
:::

```{cell} model
```

:::{dropdown} The answer
**Two**, says {cite:t}`crowd2017`.
:::

## A picture

:::{figure} ../figures/dot.svg
:alt: A dot

One dot, as in [the net](net.md).
:::

![A dot again](../figures/dot.svg)

```{cell} shared
```

```{cell} extra
```
"""
CELLS = """\
# %% imports
import sys  # {backend}

# %% model tags=["nbval-check-output"]
print("{backend}")  # (1, 2)

# %% extra
7 * 6
"""
SOURCES = {
    "_config.yml": CONFIG,
    "_toc.yml": TOC,
    "facts.py": 'import os\n\n\ndef record():\n    return {"device": "dæmon", "profile": os.getenv("BOOK_PROFILE")}\n',
    "book/references.bib": BIBLIOGRAPHY,
    "book/figures/dot.svg": '<svg xmlns="http://www.w3.org/2000/svg"><circle r="1"/></svg>\n',
    "book/en/index.md": "# A small book\n\nRead [on](net.md).\n",
    "book/en/net.md": NET,
    "book/en/sums.md": "# Sums\n\nAfter [the net](net.md).\n\n```{cell} add\n```\n",
    "book/ja/index.md": "# 小さな本\n\n[次へ](net.md)。\n",
    "book/ja/net.md": NET.replace("# A net", "# 網").replace("Think.", "考えてみよう。"),
    "book/ja/sums.md": "# 和\n\n[網](net.md)の次。\n\n```{cell} add\n```\n",
    "book/cells/net/all.py": '# %% shared\nprint("the same")\n',
    "book/cells/net/mxnet.py": CELLS.format(backend="mxnet").replace("%% extra", '%% extra tags=["absent"]'),
    "book/cells/net/pytorch.py": CELLS.format(backend="pytorch"),
    "book/cells/net/tensorflow.py": CELLS.format(backend="tensorflow"),
    "book/cells/sums/python.py": '# %% add tags=["nbval-check-output"]\n1 + 1\n',
}
NOTEBOOKS = [
    f"{language}/{name}.ipynb"
    for language in ("en", "ja")
    for name in ("mxnet/net", "python/sums", "pytorch/net", "tensorflow/net")
]


def write(root):
    """Write the small book into a folder, and return the folder."""
    for name, text in SOURCES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def files(root):
    """Every notebook's bytes by its name under notebooks/, and whatever else lies there."""
    folder = root / "notebooks"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def notebook(root, name="en/pytorch/net.ipynb"):
    return nbformat.read(root / "notebooks" / name, as_version=4)


def code(root, name="en/pytorch/net.ipynb"):
    """The code cells of a notebook by their id, without the setup cell."""
    return {cell.id: cell for cell in notebook(root, name).cells[1:] if cell.cell_type == "code"}


def texts(root, name="en/pytorch/net.ipynb"):
    """The text cells of a notebook."""
    return [cell for cell in notebook(root, name).cells if cell.cell_type == "markdown"]


def change(root, name, *pairs):
    """Replace text in a source; what is to be replaced must be there."""
    text = (root / name).read_text("utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (root / name).write_text(text, "utf-8")


class Said(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


def bookweave(root, *arguments):
    """Run the command in this process, as a new process would. What it does not catch, it raises."""
    book.load.cache_clear()
    plain._bibliography.cache_clear()
    out, err = io.StringIO(), io.StringIO()
    words = ["bookweave", "--root", str(root), *arguments]
    with (
        mock.patch.object(sys, "argv", words),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as end,
    ):
        cli.main()
    return Said(end.value.code, out.getvalue(), err.getvalue())
