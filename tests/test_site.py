"""The built site as a reader meets it: what `make book` wrote to _site, driven in a browser."""

import io
import re
import shutil
import threading
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import nbformat
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

from bookweave.book import PLAIN, load
from bookweave.editions import drop_gone

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_site"
BOOK = load(ROOT)
BACKENDS = BOOK.settings["backends"]
CHAPTERS = [chapter for chapter in BOOK.chapters if BOOK.cells(chapter).is_dir()]
TABBED = [chapter for chapter in CHAPTERS if not (BOOK.cells(chapter) / f"{PLAIN}.py").exists()]
PAGES = [(language, page) for language in BOOK.languages for page in (*BOOK.chapters, "search", "genindex")]
OTHER = dict(zip(BOOK.languages, reversed(BOOK.languages), strict=True))
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = "--disable-background-networking --disable-component-update --disable-sync --no-first-run --disable-quic"
PHONE = {"width": 390, "height": 844}

every_tabbed = pytest.mark.parametrize(("language", "page"), [pair for pair in PAGES if pair[1] in TABBED])
every_language = pytest.mark.parametrize("language", BOOK.languages)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def base():
    """The address of the built site, served as any host would serve it."""
    if not (SITE / "index.html").is_file():
        pytest.fail(f"expected the built site in {SITE}, found none; run make book first")
    with ThreadingHTTPServer(("localhost", 0), partial(_Quiet, directory=SITE)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.fail(f"expected a browser on PATH, found none of {', '.join(BROWSERS)}; install one")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu", *QUIET.split()]
        )
        yield launched
        launched.close()


class Tab:
    """A page, what went wrong on it, and what it asked of other hosts; they get no request."""

    def __init__(self, context, base):
        self.page, self.problems, self.elsewhere = context.new_page(), [], []
        self.page.set_default_timeout(20_000)
        self.page.route(lambda url: not url.startswith(base), self._refuse)
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("requestfailed", lambda request: self.problems.append(f"failed: {request.url}"))
        self.page.on("response", self._check)

    def _refuse(self, route):
        self.elsewhere.append(route.request.url)
        route.abort()

    def _hear(self, said):
        if said.type in {"error", "warning"}:
            self.problems.append(f"{said.type}: {said.text}")

    def _check(self, response):
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="module")
def desktop(base, browser):
    context = browser.new_context(base_url=base, viewport={"width": 1280, "height": 900}, locale="en-US")
    yield context
    context.close()


@pytest.fixture
def tab(base, desktop):
    """A page of a reader who has never been here, on a desktop; at the end nothing may have gone wrong."""
    opened = Tab(desktop, base)
    yield opened
    problems = list(opened.problems)  # closing a page may cut off a request
    opened.page.evaluate("localStorage.clear()")
    opened.page.close()
    assert problems == []


@pytest.fixture
def open_tab(base, browser):
    """A function that opens a page with a browser of other settings."""
    contexts = []

    def open_tab(**options):
        contexts.append(browser.new_context(base_url=base, **options))
        return Tab(contexts[-1], base)

    yield open_tab
    for context in contexts:
        context.close()


# What is measured in the page itself: the lowest contrast of any visible text, as WCAG computes it.
FAINTEST = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => rgb.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const over = (top, alpha, below) => below.map((v, i) => top[i] * alpha + v * (1 - alpha));
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const [r, g, b, alpha = 1] = numbers(getComputedStyle(element).backgroundColor);
    return alpha === 1 ? [r, g, b] : over([r, g, b], alpha, behind(element.parentElement));
  };
  const opacity = (element) => element ? getComputedStyle(element).opacity * opacity(element.parentElement) : 1;
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  let faintest = [Infinity, "no text"];
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !element.checkVisibility({visibilityProperty: true})) continue;
    const [r, g, b, alpha = 1] = numbers(getComputedStyle(element).color);
    const back = behind(element);
    const [low, high] = [light(over([r, g, b], alpha * opacity(element), back)), light(back)].sort((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < faintest[0]) faintest = [ratio, texts.currentNode.data.trim()];
  }
  return {faintest, background: light(behind(document.querySelector("main")))};
}"""


LOOK = """() => {
  const all = (selector, look) => [...document.querySelectorAll(selector)].map(look);
  const labels = (set) => [...set.querySelectorAll(".sd-tab-label")].map((label) => label.textContent.trim());
  return {
    title: document.title,
    heading: [...document.querySelectorAll("main h1")].pop().innerText.replace(/#$/, "").trim(),
    language: document.documentElement.lang,
    width: document.documentElement.scrollWidth,
    alts: all("img", (img) => img.getAttribute("alt")),
    paragraphs: all("article p", (p) => p.textContent),
    switch: all("a.edition", (a) => [a.href, a.lang, a.textContent]),
    neighbours: all(".prev-next-area a", (a) => [a.className, a.href]),
    tabs: all(".sd-tab-set", labels),
    open: all(".sd-tab-set > input:checked + label", (label) => label.dataset.syncId),
    codes: all(".cell_input pre", (pre) => [pre.textContent.trim(), !pre.closest(".sd-tab-content")]),
    source: document.documentElement.outerHTML,
  };
}"""


@dataclass
class Visit:
    """What a reader with a phone finds on one page."""

    problems: list
    elsewhere: list
    title: str
    heading: str
    language: str
    width: int
    alts: list
    paragraphs: list
    switch: list
    neighbours: list
    tabs: list
    open: list
    codes: list
    source: str
    light: dict
    dark: dict


@pytest.fixture(scope="module")
def visits(base, browser):
    """Every page, visited once with a phone."""
    context = browser.new_context(base_url=base, viewport=PHONE)
    found = {}
    for language, name in PAGES:
        tab = Tab(context, base)
        tab.page.emulate_media(color_scheme="light")
        tab.page.goto(f"{language}/{name}.html")
        tab.page.add_style_tag(content="* { transition: none !important }")  # colours are measured, not their change
        bright = tab.page.evaluate(FAINTEST)
        tab.page.emulate_media(color_scheme="dark")
        with suppress(PlaywrightTimeout):  # what it did is measured, and judged in a test
            tab.page.locator("html[data-theme=dark]").wait_for(state="attached", timeout=2000)
        facts = tab.page.evaluate(LOOK) | {"light": bright, "dark": tab.page.evaluate(FAINTEST)}
        tab.page.close()
        found[language, name] = Visit(tab.problems, tab.elsewhere, **facts)
    context.close()
    return found


def test_the_page_of_a_chapter_that_is_gone_goes_too(tmp_path):
    for name in ("index.html", "gone.html", "search.html", "genindex.html", "searchindex.js"):
        (tmp_path / name).touch()
    drop_gone(tmp_path, ("index",))
    assert {page.name for page in tmp_path.iterdir()} == {
        "index.html",
        "search.html",
        "genindex.html",
        "searchindex.js",
    }


def test_the_site_holds_the_editions_the_way_in_and_the_wheel(base):
    wheels = list(SITE.glob("*.whl"))
    assert len(wheels) == 1, "run make book first: it puts the reader's wheel beside the pages"
    assert {path.name for path in SITE.iterdir()} == {*BOOK.languages, "index.html", wheels[0].name}
    with zipfile.ZipFile(wheels[0]) as wheel:
        assert f"{BOOK.settings['package']}/__init__.py" in wheel.namelist()


def test_no_page_complains_or_misses_a_file(visits):
    assert {page: visit.problems for page, visit in visits.items() if visit.problems} == {}


def test_no_request_leaves_the_host(visits):
    assert {page: visit.elsewhere for page, visit in visits.items() if visit.elsewhere} == {}


def test_every_page_is_in_its_language(visits):
    for (language, page), visit in visits.items():
        assert visit.language == language
        assert visit.title.endswith(BOOK.settings["titles"][language])
        if page in BOOK.chapters:
            assert BOOK.prose(language, page).read_text("utf-8").startswith(f"# {visit.heading}\n")


def test_no_page_scrolls_sideways_on_a_phone(visits):
    assert {page: visit.width for page, visit in visits.items() if visit.width > PHONE["width"]} == {}


def test_every_text_is_legible_on_a_bright_and_on_a_dark_page(visits):
    assert {page: visit.light for page, visit in visits.items() if visit.light["faintest"][0] < 4.5} == {}
    assert {page: visit.dark for page, visit in visits.items() if visit.dark["faintest"][0] < 4.5} == {}
    assert all(visit.light["background"] > 0.9 and visit.dark["background"] < 0.05 for visit in visits.values())


def test_every_picture_says_what_it_shows(visits):
    silent = {page: [alt for alt in visit.alts if not alt or "_images/" in alt] for page, visit in visits.items()}
    assert {page: alts for page, alts in silent.items() if alts} == {}
    assert all(
        len(visits[language, chapter].alts) > 1 for language in BOOK.languages for chapter in ("alexnet", "dataset")
    )


def test_the_switch_of_every_page_leads_to_the_same_page_of_the_other_edition(visits, base):
    for (language, page), visit in visits.items():
        other = OTHER[language]
        assert visit.switch == [[f"{base}{other}/{page}.html", other, BOOK.settings["languages"][other]]]


@every_language
def test_previous_and_next_follow_the_list_of_chapters(visits, base, language):
    for here, chapter in enumerate(BOOK.chapters):
        around = [("left-prev", BOOK.chapters[:here][-1:]), ("right-next", BOOK.chapters[here + 1 :][:1])]
        expected = [[side, f"{base}{language}/{name}.html"] for side, names in around for name in names]
        assert visits[language, chapter].neighbours == expected


def test_a_line_break_of_a_japanese_source_is_no_space(visits):
    japanese = r"[、。々〇〈-】ぁ-ヿ一-鿿]"
    text = "¶".join(paragraph for chapter in BOOK.chapters for paragraph in visits["ja", chapter].paragraphs)
    assert len(re.findall(japanese, text)) > 1000
    assert re.findall(rf"{japanese}\n{japanese}|。\n[A-Za-z]", text) == []


def chosen(page):
    """The backends whose tabs stand open, over all tab groups of the page, and the number of groups."""
    labels = page.locator(".sd-tab-set > input:checked + label")
    ids = labels.evaluate_all("all => all.map(label => label.dataset.syncId)")
    assert len(ids) == page.locator(".sd-tab-set").count() > 1
    return set(ids)


def choose(page, backend, group=0):
    page.locator(".sd-tab-set").nth(group).get_by_text(BACKENDS[backend], exact=True).first.click()


@every_tabbed
def test_tabs_stand_in_the_order_of_the_book_and_the_default_is_open(visits, language, page):
    visit = visits[language, page]
    assert len(visit.tabs) > 1
    everyone = list(BACKENDS.values())
    assert all(tabs == [name for name in everyone if name in tabs] for tabs in visit.tabs)  # some may be absent
    default = BACKENDS[BOOK.settings["default"]]
    for tabs, chosen in zip(visit.tabs, visit.open, strict=True):
        assert BACKENDS[chosen] == (default if default in tabs else tabs[0])


@every_language
def test_a_choice_holds_for_every_group_page_and_edition_and_after_a_reload(tab, language):
    tab.page.goto(f"{language}/alexnet.html")
    choose(tab.page, "tensorflow", group=2)
    assert chosen(tab.page) == {"tensorflow"}
    tab.page.reload()
    assert chosen(tab.page) == {"tensorflow"}
    for address in (f"{language}/training.html", f"{OTHER[language]}/alexnet.html"):
        tab.page.goto(address)
        assert chosen(tab.page) == {"tensorflow"}
    choose(tab.page, "mxnet", group=1)
    assert chosen(tab.page) == {"mxnet"}


@every_language
def test_the_address_chooses_a_backend_for_good(tab, language):
    tab.page.goto(f"{language}/alexnet.html?backend=tensorflow")
    assert chosen(tab.page) == {"tensorflow"}
    tab.page.goto(f"{language}/dataset.html")
    assert chosen(tab.page) == {"tensorflow"}
    tab.page.goto(f"{language}/dataset.html?backend=no-such-backend")
    assert chosen(tab.page) == {BOOK.settings["default"]}


def test_tabs_work_by_keyboard_and_show_where_the_keyboard_is(tab):
    page = tab.page
    page.goto("en/alexnet.html")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.sd-tab-set > input')"):
            break
    page.keyboard.press("ArrowRight")
    assert chosen(page) == {"tensorflow"}
    assert page.evaluate("getComputedStyle(document.activeElement.nextElementSibling).outlineStyle") != "none"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert chosen(page) == {"mxnet"}


def test_the_page_does_not_jump_when_a_tab_is_chosen(tab):
    tab.page.goto("en/alexnet.html")
    last = tab.page.locator(".sd-tab-set").last
    last.scroll_into_view_if_needed()
    before = last.bounding_box()["y"]
    choose(tab.page, "tensorflow", group=-1)
    tab.page.wait_for_timeout(100)
    assert last.bounding_box()["y"] == pytest.approx(before, abs=2)


def committed(language, backend, chapter):
    """The code cells of a committed notebook that a reader is meant to see."""
    notebook = nbformat.read(BOOK.notebook(language, backend, chapter), as_version=4)
    return [
        cell
        for cell in notebook.cells
        if cell.cell_type == "code" and "remove-cell" not in cell.metadata.get("tags", [])
    ]


def printed(cell):
    """All that a cell printed, without blanks: a page may break lines."""
    return "".join("".join(output.text.split()) for output in cell.outputs if output.output_type == "stream")


def pictures(cell):
    return sum(1 for output in cell.outputs if any(kind.startswith("image/") for kind in output.get("data", {})))


@pytest.mark.parametrize(("language", "page"), [pair for pair in PAGES if pair[1] in CHAPTERS])
def test_a_page_is_the_notebook_of_the_chosen_backend_and_offers_it(tab, language, page):
    tab.page.goto(f"{language}/{page}.html")
    assert tab.page.locator("h1 + .launcher").count() == 1
    for backend in BACKENDS if page in TABBED else [PLAIN]:
        if page in TABBED:
            choose(tab.page, backend)
        compare_cells(tab.page, committed(language, backend, page), backend)
        compare_launcher(tab.page, BOOK.notebook(language, backend, page))


def compare_cells(page, cells, backend):
    """What is visible is the code of these cells and their outputs, in this order, and nothing else.

    Where the backend has no tab, another one's stands open; it is no cell of this backend.
    """
    without = f".sd-tab-set:not(:has(> label[data-sync-id='{backend}']))"
    shown = page.locator(f"div.cell:not({without} div.cell)").filter(visible=True)
    codes = shown.locator(".cell_input pre").all_inner_texts()
    assert [code.strip() for code in codes] == [cell.source.strip() for cell in cells]
    outputs = shown.evaluate_all(
        """cells => cells.map(cell => [
             [...cell.querySelectorAll('.cell_output pre')].map(pre => pre.textContent).join(''),
             cell.querySelectorAll('.cell_output img').length])"""
    )
    stored = [(printed(cell), pictures(cell)) for cell in cells]
    assert [("".join(text.split()), images) for text, images in outputs] == stored
    hollow = "boxes => boxes.filter(box => !box.textContent.trim() && !box.matches('img, :has(img)')).length"
    assert shown.locator(".cell_output > *").evaluate_all(hollow) == 0


def compare_launcher(page, notebook):
    """The visible links open this notebook in Colab and download its very bytes; beside them stands what it ran on."""
    colab, download = page.locator(".launcher a").filter(visible=True).all()
    place = f"{BOOK.repository.removeprefix('https://github.com/')}/blob/{BOOK.branch}"
    path = notebook.relative_to(ROOT).as_posix()
    assert colab.get_attribute("href") == f"https://colab.research.google.com/github/{place}/{path}"
    with page.expect_download() as saved:
        download.click()
    assert saved.value.suggested_filename == notebook.name
    assert Path(saved.value.path()).read_bytes() == notebook.read_bytes()
    facts = nbformat.read(notebook, as_version=4).metadata.get("bookweave", {}).get("run", {})
    said = page.locator(".launcher .provenance").filter(visible=True).inner_text()
    assert all(str(facts[key]) in said for key in ("date", "version", "device", "profile") if facts.get(key)), said


@every_tabbed
def test_what_all_backends_share_stands_once_outside_the_tabs(visits, language, page):
    notebooks = [{cell.id: cell for cell in committed(language, backend, page)} for backend in BACKENDS]
    shared = [
        cell.source.strip()
        for id_, cell in notebooks[0].items()
        if all(id_ in n and (n[id_].source, n[id_].outputs) == (cell.source, cell.outputs) for n in notebooks)
    ]
    assert shared or page == "training"  # where every output may differ
    assert [code for code, alone in visits[language, page].codes if alone] == shared
    assert [code for code, _ in visits[language, page].codes if code in shared] == shared


def test_the_setup_cell_is_in_the_notebooks_but_not_on_the_pages(visits):
    assert "find_spec" in BOOK.notebook("en", "pytorch", "alexnet").read_text("utf-8")
    assert [page for page, visit in visits.items() if "find_spec" in visit.source] == []


@every_language
def test_the_switch_leads_to_the_other_edition_and_back(tab, base, language):
    other = OTHER[language]
    tab.page.goto(f"{language}/training.html")
    tab.page.get_by_role("link", name=BOOK.settings["languages"][other]).click()
    tab.page.wait_for_url(f"{base}{other}/training.html")
    tab.page.get_by_role("link", name=BOOK.settings["languages"][language]).click()
    tab.page.wait_for_url(f"{base}{language}/training.html")


@pytest.mark.parametrize(("locale", "language"), [("ja-JP", "ja"), ("en-US", "en"), ("fr-FR", "en")])
def test_the_way_in_chooses_the_edition_by_the_language_of_the_browser(open_tab, base, locale, language):
    tab = open_tab(locale=locale)
    tab.page.goto("?backend=mxnet")
    tab.page.wait_for_url(f"{base}{language}/index.html?backend=mxnet")
    tab.page.goto(f"{language}/alexnet.html")
    assert tab.elsewhere == []


@every_language
def test_the_way_in_and_the_tabs_need_no_script(open_tab, base, language):
    tab = open_tab(java_script_enabled=False)
    tab.page.goto("")
    tab.page.locator(f"a[href='{language}/index.html']").click()
    assert tab.page.url == f"{base}{language}/index.html"
    tab.page.goto(f"{language}/alexnet.html")
    assert tab.page.locator("div.cell").filter(visible=True).count() == len(committed(language, "pytorch", "alexnet"))


@pytest.mark.parametrize(
    ("language", "query", "chapter"),
    [
        ("ja", "畳み込み層", "alexnet"),
        ("ja", "学習率", "training"),
        ("ja", "dropout", "alexnet"),
        ("en", "convolutional layer", "alexnet"),
        ("en", "learning rate", "training"),
        ("en", "ReLU", "alexnet"),
    ],
)
def test_a_search_finds_the_chapter(tab, base, language, query, chapter):
    tab.page.goto(f"{language}/index.html")
    tab.page.keyboard.press("Control+k")
    tab.page.locator("input[type=search]").filter(visible=True).fill(query)
    tab.page.keyboard.press("Enter")
    results = tab.page.locator("#search-results .search a")
    results.first.wait_for()
    tab.page.locator("#search-results .search mark, #search-results .search .highlighted").first.wait_for()
    tab.page.wait_for_function("Search.title.innerText === _('Search Results')")  # the last one is there
    found = [urlsplit(link).path for link in results.evaluate_all("all => all.map(a => a.href)")]
    assert f"/{language}/{chapter}.html" in found
    assert f"/{language}/status.html" not in found


WIDEN = {
    "pre": "e => e.append('x'.repeat(400))",
    "table": "e => e.querySelector('td').style.minWidth = '2000px'",
    "math[display=block]": "e => { for (let n = 60; n; n--) e.append(e.lastElementChild.cloneNode(true)); }",
}
MOVE = """element => {
  while (element && element.scrollWidth <= element.clientWidth) element = element.parentElement;
  if (!element || element === document.documentElement) return 0;
  element.scrollLeft = 100;
  return element.scrollLeft;
}"""


def test_what_is_too_wide_for_a_phone_moves_inside_itself(open_tab):
    page = open_tab(viewport=PHONE).page
    page.goto("en/alexnet.html")
    page.locator("details").first.click()  # has a table
    for selector, widen in WIDEN.items():
        element = page.locator(f"article {selector}").filter(visible=True).first
        element.evaluate(widen)
        assert element.evaluate(MOVE) == 100, selector
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], selector


def test_a_row_of_pictures_moves_on_a_phone_and_is_not_shrunk(open_tab):
    page = open_tab(viewport=PHONE).page
    page.goto("ja/dataset.html")
    picture = page.locator(".tag_wide .cell_output img").filter(visible=True).first
    assert picture.bounding_box()["width"] > 2 * PHONE["width"] * 0.9
    assert picture.evaluate("picture => picture.parentElement.closest('.cell_output').scrollWidth") > PHONE["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def luminance(color):
    parts = [v / 255 / 12.92 if v / 255 <= 0.03928 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in color]
    return sum(part * weight for part, weight in zip(parts, (0.2126, 0.7152, 0.0722), strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_are_legible_on_a_bright_and_on_a_dark_page(open_tab, scheme):
    page = open_tab(viewport={"width": 1280, "height": 1000}, color_scheme=scheme).page
    page.goto("en/alexnet.html")
    for picture in ("figure img", ".cell_output img"):
        shot = page.locator(picture).filter(visible=True).first.screenshot()
        colors = sorted(Image.open(io.BytesIO(shot)).convert("RGB").getcolors(1 << 24))
        ground = luminance(colors[-1][1])
        ink = [luminance(color) for count, color in colors if count >= 20]
        assert max((max(ground, each) + 0.05) / (min(ground, each) + 0.05) for each in ink) >= 7, picture


@every_language
def test_the_status_page_lists_every_notebook_with_its_run(tab, language):
    tab.page.goto(f"{language}/status.html")
    rows = tab.page.locator("article table tbody tr").evaluate_all(
        "all => all.map(row => [row.querySelector('a').getAttribute('href'), row.innerText])"
    )
    expected = [(chapter, backend) for chapter in CHAPTERS for backend in (BACKENDS if chapter in TABBED else [PLAIN])]
    assert [href for href, _ in rows] == [f"{chapter}.html" for chapter, _ in expected]
    for (chapter, backend), (_, text) in zip(expected, rows, strict=True):
        facts = nbformat.read(BOOK.notebook(language, backend, chapter), as_version=4).metadata.get("bookweave", {})
        assert BACKENDS.get(backend, "Python") in text
        assert facts.get("run", {}).get("date", "") in text
        assert facts.get("run", {}).get("version") is None or facts["run"]["version"] in text
        assert "accuracy" not in facts.get("run", {}) or f"{facts['run']['accuracy']:.4f}" in text


@every_language
def test_the_styles_are_those_of_the_sources(language):
    source = ROOT / "src" / "bookweave" / "static" / "bookweave.css"
    assert (SITE / language / "_static" / source.name).read_bytes() == source.read_bytes()


class _Links(HTMLParser):
    """The anchors of a page, where it leads, and what a browser fetches to show it."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.leads, self.fetched = set(), [], []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        values = {key: value for key, value in attributes if value is not None}
        self.ids.update(values[key] for key in ("id", "name") if key in values)
        if tag == "a" and "href" in values:
            self.leads.append(values["href"])
        elif tag == "link" and values.get("rel") in {"stylesheet", "icon", "preload", "manifest"}:
            self.fetched.append(values["href"])
        elif "src" in values:
            self.fetched.append(values["src"])


@pytest.fixture(scope="module")
def files(base):
    return {
        path.relative_to(SITE).as_posix(): _Links(path) for path in SITE.rglob("*.html") if "_static" not in path.parts
    }


def test_every_link_and_anchor_of_the_site_resolves(files):
    broken = []
    for here, links in files.items():
        for link in (*links.leads, *links.fetched):
            target = urlsplit(urljoin(f"/{here}", link))
            if target.scheme or target.netloc:
                continue
            path, anchor = unquote(target.path).lstrip("/"), unquote(target.fragment)
            if not (SITE / path).is_file() or (anchor and anchor not in files[path].ids):
                broken.append(f"{here}: {link}")
    assert len(files) >= len(PAGES)
    assert broken == []


def test_no_page_names_anything_to_fetch_from_elsewhere(files):
    fetched = {link for links in files.values() for link in links.fetched}
    assert len(fetched) > 10
    assert {link for link in fetched if urlsplit(link).netloc} == set()
