"""Prose and cells become notebooks."""

import ast
import base64
import itertools
import subprocess
import sys
from importlib.machinery import ModuleSpec

import nbformat
import pytest
import small_book
from small_book import NOTEBOOKS, bookweave, change, code, files, notebook, texts


def test_one_notebook_for_each_language_and_backend(woven):
    assert sorted(files(woven)) == NOTEBOOKS
    for name in NOTEBOOKS:
        nbformat.validate(notebook(woven, name))


def test_colab_is_asked_for_a_gpu_where_it_would_be_used(woven):
    asking = [name for name in NOTEBOOKS if "accelerator" in notebook(woven, name).metadata]
    assert asking == [name for name in NOTEBOOKS if "pytorch" in name or "tensorflow" in name]


def test_weaving_again_writes_nothing(woven):
    paths = sorted(woven.rglob("*.ipynb"))
    before = files(woven), [path.stat().st_mtime_ns for path in paths]
    assert bookweave(woven, "build", "--notebooks") == (0, "", "")
    assert (files(woven), [path.stat().st_mtime_ns for path in paths]) == before


def test_the_same_sources_give_the_same_bytes_anywhere(woven, tmp_path):
    elsewhere = small_book.write(tmp_path / "else where")
    bookweave(elsewhere, "build", "--notebooks")
    assert files(elsewhere) == files(woven)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_setup_cell_comes_first_and_names_the_repository(woven, name):
    first, *others = notebook(woven, name).cells
    assert (first.cell_type, first.metadata.tags) == ("code", ["remove-cell"])
    assert "alexbook @ git+https://github.com/someone/a-fork@trunk" in first.source
    assert ("mxnet==1.9.1" in first.source) == ("mxnet" in name)
    assert not [cell for cell in others if "pip" in cell.source]


@pytest.mark.parametrize(
    ("spec", "installed"),
    [(ModuleSpec("alexbook", None, origin="__init__.py"), True), (ModuleSpec("alexbook", None), False), (None, False)],
    ids=["there", "a mere folder", "not there"],
)
def test_the_setup_cell_installs_only_what_is_missing(woven, monkeypatch, spec, installed):
    source = notebook(woven, "en/mxnet/net.ipynb").cells[0].source
    commands = []
    monkeypatch.setenv("ALEXBOOK_LANGUAGE", "")  # the cell sets it: put it back afterwards
    monkeypatch.setattr(subprocess, "run", lambda command, check: commands.append((command, check)))
    monkeypatch.setattr("importlib.util.find_spec", {"alexbook": spec}.__getitem__)
    exec(compile(ast.parse(source), "setup", "exec"), {})
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    packages = ["d2l==1.0.3", "mxnet==1.9.1", "alexbook @ git+https://github.com/someone/a-fork@trunk"]
    assert commands == ([] if installed else [([*pip, *packages], True)])


def test_the_steps_follow_the_prose(woven):
    cells = notebook(woven, "en/mxnet/net.ipynb").cells[1:]
    kinds = [cell.id if cell.cell_type == "code" else "text" for cell in cells]
    assert kinds == ["text", "imports", "text", "model", "text", "shared"]
    assert code(woven, "en/mxnet/net.ipynb")["model"].source == 'print("mxnet")  # (1, 2)'
    assert code(woven)["model"].metadata == {"tags": ["nbval-check-output"]}
    assert code(woven)["imports"].metadata == {}


def test_myst_becomes_markdown_that_any_notebook_shows(woven):
    first, box, last = (cell.source for cell in texts(woven))
    assert first.startswith(
        "# A net\n\nWindows slide, says [One & van Two (1998)](https://example.org/2); "
        "more do ([Alone, 2012](https://doi.org/10.1000/1); One et al., 2017).\n"
    )
    assert "Here $x^2$ is math." in first
    assert box == "> **Predict first**\n>\n> How large is it?\n>\n> Think."
    answer = "<details><summary>The answer</summary>\n\n**Two**, says One et al. (2017).\n\n</details>\n\n"
    picture = "![A dot](attachment:dot.svg)\n\n*Fig. 1: One dot, as in [the net]"
    assert last.startswith(f"{answer}## A picture\n\n{picture}")
    assert last.endswith("*\n\n![A dot again](attachment:dot.svg)")


def test_a_line_break_between_japanese_characters_is_no_space(root):
    lines = "文が続く。\n次の文は\nここまで。\n`code`も。\nEnglish\nwords\n\n- 一\n  二\n- 三\n\n## 題\n本文\n"
    change(root, "book/ja/net.md", ("Here $x^2$ is math.\n", lines), ("## A picture", ""))
    assert bookweave(root, "build", "--notebooks").code == 0
    joined = "文が続く。次の文はここまで。`code`も。English\nwords\n\n- 一二\n- 三\n\n## 題\n本文"
    assert joined in texts(root, "ja/pytorch/net.ipynb")[0].source


def test_pictures_travel_with_their_cell(woven):
    first, _, last = texts(woven)
    assert "attachments" not in first
    picture = base64.b64decode(last.attachments["dot.svg"]["image/svg+xml"])
    assert picture == (woven / "book/figures/dot.svg").read_bytes()


def test_names_need_not_be_ascii(root):
    (root / "book/figures/点.svg").write_bytes((root / "book/figures/dot.svg").read_bytes())
    for language in ("en", "ja"):
        text = "Here are ![a dot](../figures/点.svg) and [a sum](sums.md#和)."
        change(root, f"book/{language}/net.md", ("Here $x^2$ is math.", text))
    assert bookweave(root, "build", "--notebooks").code == 0
    source = texts(root)[0].source
    assert "![a dot](attachment:点.svg)" in source
    assert "sums.ipynb#和)" in source


@pytest.mark.parametrize("options", [":alt:\n\n", ":alt: A dot\n", ":name: x\n:alt: A dot: round\n\n", ""])
def test_a_figure_has_the_options_that_myst_lets_it_have(root, options):
    change(root, "book/en/net.md", (":alt: A dot\n\n", options))
    assert bookweave(root, "build", "--notebooks").code == 0
    alt = options.partition(":alt:")[2].strip()
    assert f"![{alt}](attachment:dot.svg)\n\n*Fig. 1: One dot, as in [the net]" in texts(root)[-1].source


def test_figures_are_numbered_through_the_edition(root):
    for language in ("en", "ja"):
        first = f":::{{figure}} ../figures/first-{language}.svg\n:name: fig-first\n:alt: Two\n\nTwo dots.\n:::\n"
        (root / f"book/figures/first-{language}.svg").write_text("<svg/>")  # pictures with words: each language its own
        change(root, f"book/{language}/index.md", ("\n\n", f"\n\n{first}\n"))
        change(root, f"book/{language}/net.md", (":alt: A dot\n", ":alt: A dot\n:name: fig-second\n"))
        change(root, f"book/{language}/sums.md", ("\n\n", " {numref}`fig-first`, {numref}`fig-second`.\n\n"))
    assert bookweave(root, "build", "--notebooks").code == 0
    assert "*Fig. 2: One dot" in texts(root)[-1].source
    assert "Fig. 1, Fig. 2." in texts(root, "en/python/sums.ipynb")[0].source
    assert "図 1, 図 2." in texts(root, "ja/python/sums.ipynb")[0].source


def test_of_tabs_a_notebook_shows_its_own_backend_s_or_all_if_it_has_none(root):
    tabs = "".join(f":::{{tab-item}} {name.upper()}\n:sync: {name}\n{name}!\n:::\n" for name in ("mxnet", "pytorch"))
    for language, chapter in itertools.product(("en", "ja"), ("net", "sums")):
        path = root / f"book/{language}/{chapter}.md"
        path.write_text(f"{path.read_text('utf-8')}\n::::{{tab-set}}\n:sync-group: backend\n\n{tabs}::::\n", "utf-8")
    assert bookweave(root, "build", "--notebooks").code == 0
    assert texts(root)[-1].source == "**PYTORCH.** pytorch!"
    assert [cell for cell in texts(root, "en/tensorflow/net.ipynb") if "!" in cell.source.replace("![", "")] == []
    assert texts(root, "en/python/sums.ipynb")[-1].source == "**MXNET.** mxnet!\n\n**PYTORCH.** pytorch!"


def test_links_between_chapters_lead_from_notebook_to_notebook(woven):
    texts_of_sums = texts(woven, "en/python/sums.ipynb")
    assert "[the sums](../python/sums.ipynb)" in texts(woven)[0].source
    assert "[the net](net.ipynb)" in texts(woven)[-1].source
    assert "[the net](../pytorch/net.ipynb)" in texts_of_sums[0].source  # the default backend's


def test_links_to_elsewhere_stay(woven):
    assert "[elsewhere](https://example.org/a.md)" in texts(woven)[0].source


def test_the_editions_differ_in_their_prose_alone(woven):
    english, japanese = texts(woven), texts(woven, "ja/pytorch/net.ipynb")
    assert english[0].source.replace("# A net", "# 網") == japanese[0].source
    assert "考えてみよう。" in japanese[1].source
    assert code(woven) == code(woven, "ja/pytorch/net.ipynb")


def test_an_absent_cell_is_in_no_notebook_of_its_backend(woven):
    for language in ("en", "ja"):
        assert "extra" not in code(woven, f"{language}/mxnet/net.ipynb")
        assert "extra" in code(woven, f"{language}/pytorch/net.ipynb")


@pytest.mark.parametrize("id_", ["setup", "record", "text-0"])
def test_an_author_s_id_is_never_taken_for_one_of_ours(root, id_):
    for name in ("book/en/sums.md", "book/ja/sums.md"):
        change(root, name, ("} add", f"}} {id_}"))
    change(root, "book/cells/sums/python.py", ("%% add", f"%% {id_}"))
    assert bookweave(root, "build", "--notebooks").code == 0
    ids = [cell.id for cell in notebook(root, "en/python/sums.ipynb").cells]
    assert len(set(ids)) == len(ids)
    assert code(root, "en/python/sums.ipynb")[id_].source == "1 + 1"


def test_outputs_stay_while_their_code_does(woven):
    path = woven / "notebooks/en/pytorch/net.ipynb"
    ran = notebook(woven)
    for count, cell in enumerate((cell for cell in ran.cells[1:] if cell.cell_type == "code"), 1):
        output = nbformat.v4.new_output("stream", text=f"{cell.id}\n")
        cell.update(execution_count=count, outputs=[output])
    path.write_text(nbformat.writes(ran) + "\n", "utf-8")
    before = code(woven)
    change(woven, "book/en/net.md", ("Windows slide", "Windows glide"))
    change(woven, "book/cells/net/pytorch.py", ("7 * 6", "6 * 9"))
    bookweave(woven, "build", "--notebooks")
    assert "glide" in texts(woven)[0].source
    for name in ("en/pytorch/net.ipynb", "ja/pytorch/net.ipynb"):
        after = code(woven, name)
        assert (after["extra"].outputs, after["extra"].execution_count) == ([], None)
        assert [after[id_] for id_ in ("imports", "model", "shared")] == [
            before["imports"],
            before["model"],
            before["shared"],
        ]
