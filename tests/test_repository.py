"""The repository: style, types, locks, documents, and what each part may know of the others."""

import itertools
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
READMES = ("README.md", "README.ja.md")
DOCUMENTS = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "docs/design.md")


def run(*command):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def tracked():
    """What git knows of, and what it would know of after `git add`."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "mypy"])
def test_style_and_types(command):
    name, *arguments = command.split()
    said = run(BIN / name, *arguments)
    assert said.returncode == 0, said.stdout + said.stderr


@pytest.mark.parametrize("path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name)
def test_workflows_fit_their_schema(path):
    said = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)
    assert said.returncode == 0, said.stdout


def locked(name):
    """The packages of a lock: name to version; every one must have a hash."""
    text = re.sub(r"\\\n\s*", "", (ROOT / name).read_text("utf-8"))
    rows = [row for row in text.splitlines() if row and not row.lstrip().startswith("#")]
    assert [row for row in rows if "--hash=sha256:" not in row] == []
    found = {}
    for row in rows:
        requirement = Requirement(row.partition("--hash")[0])
        found.setdefault(canonicalize_name(requirement.name), []).append(next(iter(requirement.specifier)).version)
    return found


@pytest.mark.parametrize(
    ("name", "groups"),
    [
        ("requirements.txt", ["site"]),
        ("requirements/all.txt", ["site", "mxnet", "pytorch", "tensorflow", "classical", "test"]),
    ],
)
def test_locks_hold_what_the_project_asks_for(name, groups):
    found, overrides = locked(name), {}
    for text in PROJECT["tool"]["uv"]["override-dependencies"]:
        overrides[Requirement(text).name] = Requirement(text)
    wanted = [
        *PROJECT["project"]["dependencies"],
        *(line for group in groups for line in PROJECT["dependency-groups"][group]),
    ]
    for requirement in map(Requirement, wanted):
        requirement = overrides.get(requirement.name, requirement)
        versions = found.get(canonicalize_name(requirement.name), [])
        assert versions, requirement.name
        assert [version for version in versions if not requirement.specifier.contains(version)] == []


def test_the_small_lock_is_a_part_of_the_large_one():
    large = locked("requirements/all.txt")
    assert {name: version for name, version in locked("requirements.txt").items() if large.get(name) != version} == {}


def test_every_dependency_has_its_reason():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    groups = text[text.index("dependencies = [") : text.index("[tool.uv]")]
    rows = groups.splitlines()
    without = [
        row
        for above, row in itertools.pairwise(rows)
        if row.lstrip().startswith('"') and "#" not in row.rpartition('"')[2] and not above.lstrip().startswith("#")
    ]
    assert without == []


def test_nothing_names_a_registry_or_a_machine():
    # Written in two halves, so that this file does not find itself.
    words = [
        "--index" + "-url",
        "--extra-index" + "-url",
        "python" + "hosted",
        ".org/" + "simple",
        "/ro" + "ot/",
    ]
    found = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in tracked()
        if path.suffix in {".md", ".py", ".txt", ".toml", ".yml", ".ipynb", ".cff", ".svg", ".html", ".css", ""}
        for word in words
        if word in path.read_text("utf-8")
    ]
    assert found == []


def test_the_repository_is_small():
    assert sum(path.stat().st_size for path in tracked()) < 40e6


def imported(module, *watched):
    """Which of the watched packages are loaded after importing a module in a process of its own."""
    code = f"import json, sys, {module}; print(json.dumps(sorted({{*{list(watched)}}} & {{*sys.modules}})))"
    said = run(sys.executable, "-c", code)
    return json.loads(said.stdout)


def test_the_parts_know_as_much_of_each_other_as_they_should():
    frameworks = ("mxnet", "torch", "tensorflow", "d2l")
    assert imported("alexbook.data", "bookweave", *frameworks) == []
    assert imported("bookweave.site", "alexbook", *frameworks) == []
    assert imported("alexbook.torch", *frameworks) == ["d2l", "torch"]  # the watch works
    texts = {
        path: path.read_text("utf-8").lower() for path in (ROOT / "src/bookweave").rglob("*.*") if path.suffix != ".pyc"
    }
    assert [path for path, text in texts.items() if "alexnet" in text or "alexbook" in text] == []


def links(name):
    """The targets of a document's links and pictures."""
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / name).read_text("utf-8"))
    inline = (child for token in tokens for child in token.children or [])
    return [
        str(token.attrs.get("href", token.attrs.get("src"))) for token in inline if token.type in ("link_open", "image")
    ]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name):
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["repository"]
    owner = config["url"].removeprefix("https://github.com/")
    colab = f"https://colab.research.google.com/github/{owner}/blob/{config['branch']}/"
    places = [target.replace(colab, "/") for target in links(name)]
    files = [ROOT / place.partition("#")[0].lstrip("/") for place in places if "://" not in place and place[0] != "#"]
    base = (ROOT / name).parent
    assert [str(file) for file in files if not (file.exists() or (base / file.relative_to(ROOT)).exists())] == []
    assert [place for place in places if place.startswith("https://colab")] == []


def commands(name):
    """The shell commands of a document, without their comments."""
    tokens = MarkdownIt("commonmark").parse((ROOT / name).read_text("utf-8"))
    rows = [
        row for token in tokens if token.type == "fence" and token.info == "sh" for row in token.content.splitlines()
    ]
    return [words for words in (shlex.split(row, comments=True) for row in rows) if words]


def test_both_readmes_have_the_same_commands():
    english, japanese = map(commands, READMES)
    assert english == japanese
    assert {("make", "book"), ("make", "test")} <= set(map(tuple, english))


@pytest.mark.parametrize("name", [*READMES, "CONTRIBUTING.md"])
def test_commands_are_as_written(name):
    for words in commands(name):
        match words:
            case ["make", *arguments]:
                said = run("make", "--dry-run", *arguments)
            case [("alexbook" | "bookweave") as command, *arguments] | [
                "uv",
                "run",
                ("alexbook" | "bookweave") as command,
                *arguments,
            ]:
                said = run(BIN / command, *(word for word in arguments[:1] if word != "--help"), "--help")
            case _:
                continue
        assert said.returncode == 0, f"{shlex.join(words)}: {said.stderr}"


def test_make_help_lists_every_target():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert [row.split()[0] for row in run("make", "--no-print-directory", "help").stdout.splitlines()] == phony.group(
        1
    ).split()


def test_one_version_everywhere():
    version = PROJECT["project"]["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert str(citation["version"]) == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
