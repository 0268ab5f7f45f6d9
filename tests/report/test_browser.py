"""The page in Debian's chromium: it runs under its own policy, asks nobody, and its sliders tell the truth."""

import base64
import math
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steelyard import report
from steelyard.report import Report
from steelyard.shown import clean

pytestmark = pytest.mark.slow


class Opened:
    """A page, and all that it complained about or asked for."""

    def __init__(self, browser: Any, html: str, folder: Path, **context: Any):
        path = folder / "report.html"
        path.write_text(html, encoding="utf-8")
        self.context = browser.new_context(**context)
        self.page = self.context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.page.on(
            "console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.wrong.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.uri = path.as_uri()

    def drawn(self) -> "Opened":
        self.page.wait_for_selector("html[data-charts=live]", timeout=60_000)
        return self

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def number(self, name: str) -> float:
        return float(self.text(f"#{name}").replace(",", ""))

    def slide(self, name: str, value: int) -> None:
        self.page.locator(f"#{name}").fill(str(value))


@pytest.fixture
def opened(browser, page_of, tmp_path) -> Iterator[Any]:
    ready: list[Opened] = []

    def opening(data: Any, **context: Any) -> Opened:
        ready.append(Opened(browser, data if isinstance(data, str) else page_of(data), tmp_path, **context))
        return ready[-1]

    yield opening
    for one in ready:
        one.context.close()


@pytest.fixture(scope="module")
def read(browser, page_of, tmp_path_factory) -> Iterator[Any]:
    """The page of a study, opened and drawn once for all tests that only read it, though in windows of any size."""
    ready: dict[str, Opened] = {}

    def reading(data: Any) -> Opened:
        html = page_of(data)
        if html not in ready:
            ready[html] = Opened(browser, html, tmp_path_factory.mktemp("read")).drawn()
        return ready[html]

    yield reading
    for one in ready.values():
        one.context.close()


def test_no_error_and_no_request(any_study, read):
    found = read(any_study)
    assert found.wrong == []
    assert found.asked == [found.uri]
    assert found.page.locator(".picture .live svg").count() == found.page.locator("figure").count() > 1


def test_a_class_called_script_stays_text(hostile, opened):
    found = opened(hostile).drawn()
    found.slide("threshold", 1)
    found.page.wait_for_timeout(400)
    assert found.wrong == []
    assert found.page.locator("img").count() == 0
    assert "<script>alert(1)</script>" in found.text("main")
    assert found.page.locator("script").count() == 4
    name = clean(hostile["positive"])  # its line break is shown as an escape
    assert f'Of 50 rows that are "{name}", 80.0 % are found.' == found.page.text_content("#recall-says")


@pytest.mark.parametrize("i", range(4))
def test_the_threshold_slider_shows_the_counts_of_the_report(kept, opened, i):
    kept["costs"] = {"fn": 20.0, "fp": 1.0}
    found = opened(kept).drawn()
    found.slide("threshold", i)
    kept_at = {key: values[i] for key, values in kept["curves"]["plain"]["thresholds"].items()}
    tp, fp, fn, tn = (found.number(f"cell-{key}") for key in ("tp", "fp", "fn", "tn"))
    assert max(abs(a - kept_at[k]) for a, k in zip((tp, fp, fn, tn), ("tp", "fp", "fn", "tn"), strict=True)) < 1
    assert tp + fp + fn + tn == 1000
    assert float(found.text("#threshold-said")) == kept_at["threshold"]
    assert found.number("precision-value") == pytest.approx(tp / (tp + fp), abs=5e-4)
    assert found.number("recall-value") == pytest.approx(tp / (tp + fn), abs=5e-4)
    assert found.number("f1-value") == pytest.approx(2 * tp / (2 * tp + fp + fn), abs=5e-4)
    assert found.number("called-value") == pytest.approx(tp + fp, abs=0.05)
    assert found.number("cost-value") == pytest.approx(20 * fn + fp, abs=0.05)


def test_at_the_verdict_the_script_says_what_the_page_said_without_it(any_study, page_of, opened, read):
    still, live = opened(page_of(any_study), java_script_enabled=False), read(any_study)
    assert still.text("body").count("Copy") == 0
    for selector in ("#decisions-caption", ".decisions", ".figures"):
        if still.page.locator(selector).count():
            assert still.text(selector) == live.text(selector)
    assert still.page.locator(".picture svg").count() == live.page.locator(".picture svg").count()
    assert not still.page.locator("#controls").count() or not still.page.locator("#controls").is_visible()


def test_the_cost_slider_moves_the_threshold_to_the_cheapest(kept, opened):
    found = opened(kept).drawn()
    table = kept["curves"]["plain"]["thresholds"]
    for step in (-20, 0, 20, 40, 60):
        found.slide("ratio", step)
        ratio = 10 ** (step / 20)
        costs = [ratio * fn + fp for fn, fp in zip(table["fn"], table["fp"], strict=True)]
        best = table["threshold"][costs.index(min(costs))]
        for asked in kept[
            "priced"
        ]:  # the table above says another, chosen repetition by repetition: the slider says the same
            if round(20 * math.log10(asked["miss"])) == step:
                best = min(table["threshold"], key=lambda t, at=asked["threshold"]: abs(t - at))
        assert float(found.text("#threshold-said")) == best
        assert f"threshold {found.text('#threshold-said')}" in found.text("#cheapest-said")


def test_the_capacity_slider_calls_no_more_rows_than_can_be_checked(kept, opened):
    found = opened(kept).drawn()
    assert "200 can be checked" in found.text("#capacity-said")
    said = set()
    for step in (0, 60, 75, 90, 100):
        found.slide("capacity", step)
        room = re.match(r"([\d,]+) can be checked, ([\d,.]+) are called", found.text("#capacity-said"))
        assert room is not None
        can, called = (float(n.replace(",", "")) for n in room.groups())
        assert called == 10 * found.number("called-value")
        assert called <= can or float(found.text("#threshold-said")) == 0.6  # the highest that was kept
        said.add(called)
    assert len(said) > 2


def test_arrow_keys_move_the_slider_and_the_result_is_announced(kept, opened):
    found = opened(kept).drawn()
    found.page.focus("#threshold")
    before = found.number("cell-tp")
    found.page.keyboard.press("ArrowLeft")
    assert found.number("cell-tp") > before
    assert found.page.get_attribute("#threshold", "aria-valuetext") == found.text("#threshold-said") == "0.100"
    found.page.wait_for_timeout(500)  # the announcement waits until the slider rests
    assert found.page.text_content("#said").startswith('Threshold 0.100: 40 of 50 "ill" found, 160 false alarms')
    assert found.page.get_attribute("#said", "aria-live") == "polite"
    found.page.keyboard.press("End")
    assert found.text("#threshold-said") == "0.600"


def test_back_to_the_verdict_undoes_everything(won, opened):
    found = opened(won).drawn()
    found.page.wait_for_function("() => document.getElementById('said').textContent")  # said a moment after the rest
    before = found.text("main")
    found.page.check("input[name=arm] >> nth=0")
    found.slide("ratio", 30)
    assert found.text("main") != before
    found.page.click("#back")
    found.page.wait_for_function("before => document.querySelector('main').innerText === before", arg=before)


def test_marks_in_the_charts_follow_the_sliders(kept, opened):
    found = opened(kept).drawn()
    moving = ("scores", "cost", "precision-recall", "roc", "exchange")
    pictures = {key: found.page.inner_html(f"#{key}-still") for key in moving}
    found.slide("threshold", 1)
    for key in moving:
        found.page.wait_for_function(
            "([key, before]) => document.getElementById(key + '-still').innerHTML !== before", arg=[key, pictures[key]]
        )
    assert found.wrong == []


def moved_table(data: Any, moved: list[float], costs: Any) -> np.ndarray:
    """[truth][decision] of plain, counted here by numpy from what report.json holds."""
    kept = data["sampled"]["plain"]
    truth = np.frombuffer(base64.b64decode(kept["truth"]), "u1")
    times = np.frombuffer(base64.b64decode(kept["times"]), "<f4")
    behind = np.frombuffer(base64.b64decode(kept["behind"]), "<u2").reshape(len(truth), -1)
    z = np.array(moved) - behind * kept["unit"]
    said = z.argmax(axis=1) if costs is None else (np.exp(z) @ np.array(costs)).argmin(axis=1)
    C = z.shape[1]
    return np.bincount(truth * C + said, weights=times, minlength=C * C).reshape(C, C)


CELLS = "[...document.querySelectorAll('.confusion tbody tr')].map((r) => [...r.querySelectorAll('b')].map((b) => Number(b.textContent.replaceAll(',', ''))))"


@pytest.mark.parametrize("priced", [False, True])
def test_moving_the_cut_of_a_class_counts_the_decisions_anew(three, opened, priced):
    costs = three["costs"]["matrix"] if priced else None
    three["costs"] = three["costs"] if priced else None
    found = opened(three).drawn()
    at_rest = found.page.evaluate(CELLS)
    seen = set()
    for moves in ([0, 0, 11], [0, 0, 60], [-11, 0, 0], [0, 14, -3], [-60, 60, 10]):
        for i, move in enumerate(moves):
            found.slide(f"step-{i}", move)
        expected = moved_table(three, [0.05 * move for move in moves], costs)
        here = np.array(found.page.evaluate(CELLS))
        assert np.abs(here - expected).max() < 1
        assert here.sum() == expected.sum() == 1000
        for i in range(3):
            recall, precision = expected[i, i] / expected[i].sum(), expected[i, i] / max(expected[:, i].sum(), 1e-9)
            assert float(found.text(f"#step-{i}-recall")) == pytest.approx(recall, abs=5e-4)
            if expected[:, i].sum():
                assert float(found.text(f"#step-{i}-precision")) == pytest.approx(precision, abs=5e-4)
        seen.add(str(here))
        right = int(np.trace(here))
        assert found.text("#steps-total").startswith(f"{right:,} of 1,000 rows right")
    assert len(seen) > 2
    assert "multiply the probabilities by a 0.0498, b 20.1, c 1.65" in found.text("#steps-use")
    found.page.click("#back")
    assert found.page.evaluate(CELLS) == at_rest
    assert found.wrong == []


def test_rows_gained_and_lost_are_counted_from_the_verdict(three, opened):
    three["costs"] = None
    found = opened(three).drawn()
    at_rest = np.array(found.page.evaluate(CELLS))
    assert {found.text(f"#step-{i}-gained") for i in range(3)} == {"±0"}
    found.slide("step-2", 15)
    here = np.array(found.page.evaluate(CELLS))

    def said(change: float) -> str:
        return f"{'+' if change > 0 else '−'}{abs(change):,}" if change else "±0"

    for i in range(3):
        hit, false = here[i, i] - at_rest[i, i], (here - at_rest)[:, i].sum() - (here - at_rest)[i, i]
        assert (found.text(f"#step-{i}-gained"), found.text(f"#step-{i}-wrong")) == (said(hit), said(false))
    assert found.text("#step-2-gained") == "+40"
    assert "more than by the verdict" in found.text("#steps-total") or "fewer than" in found.text("#steps-total")


def test_a_cost_that_is_changed_decides_anew_and_what_is_no_cost_does_not(three, opened):
    found = opened(three).drawn()
    before = found.page.evaluate(CELLS)
    costs = [list(row) for row in three["costs"]["matrix"]]
    costs[2][0] = 0.01
    found.page.fill("#cost-2-0", "0.01")
    expected = moved_table(three, [0.0, 0.0, 0.0], costs)
    assert np.abs(np.array(found.page.evaluate(CELLS)) - expected).max() < 1
    assert "at your costs" in found.text("#decisions-caption")
    shown = found.page.evaluate(CELLS)
    for wrong in ("", "-3"):
        found.page.fill("#cost-2-0", wrong)
        assert found.page.evaluate(CELLS) == shown
    found.page.click("#back")
    assert found.page.evaluate(CELLS) == before
    assert found.page.input_value("#cost-2-0") == "7"


def test_steps_are_moved_by_keyboard_and_announced(three, opened):
    three["costs"] = None
    found = opened(three).drawn()
    assert found.page.is_disabled("#back")
    found.page.focus("#step-2")
    for _ in range(14):
        found.page.keyboard.press("ArrowRight")
    assert found.text("#step-2-said") == "× 2.01"
    assert found.page.get_attribute("#step-2", "aria-valuetext").startswith("× 2.01, ")
    found.page.wait_for_timeout(500)
    assert found.page.text_content("#said") == found.text("#steps-total")
    assert "with the cuts that you moved" in found.text("#decisions-caption")
    found.page.focus("#back")
    found.page.keyboard.press("Enter")
    assert found.page.evaluate("document.activeElement.id") == "step-0"
    assert found.page.is_disabled("#back")


def test_nothing_is_evaluated_from_text(kept, opened):
    found = opened(kept).drawn()
    refused = found.page.evaluate(
        "() => new Promise((done) => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); done(window.ran === undefined); })"
    )
    assert refused


def test_the_contents_follow_the_scroll(kept, opened):
    found = opened(kept).drawn()
    current = "document.querySelector('.toc [aria-current]').hash"
    assert found.page.evaluate(current) == "#verdict"
    for place in ("#weightings", "#computed"):
        found.page.click(f".toc a[href='{place}']")
        found.page.wait_for_function(f"() => {current} === '{place}'")
    found.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    found.page.wait_for_function(f"() => {current} === '#paste'")
    assert found.wrong == []


def test_a_weighting_is_lit_wherever_it_stands_and_its_row_opens(kept, opened):
    found = opened(kept).drawn()
    found.page.hover(".forest tr[data-arm='focal(gamma=2)'] .value")
    lit = found.page.evaluate("[...document.querySelectorAll('.lit')].map((row) => row.dataset.arm)")
    assert len(lit) >= 3
    assert set(lit) == {"focal(gamma=2)"}
    row = found.page.locator(".forest tr[data-arm='inverse_frequency(beta=0.5)']")
    row.locator("summary").focus()
    found.page.keyboard.press("Enter")
    opened_row = row.locator("details").inner_text()
    assert "inverse_frequency(beta=0.5)" in opened_row
    assert '"well" 0.8562' in opened_row  # 950 w0 + 50 w1 = 1000 with w1 / w0 = sqrt(19)
    assert "1 in 20" in opened_row


LIT = "[...document.querySelectorAll('.lit')].map((row) => row.dataset.arm)"
DIM = """() => Object.fromEntries([...document.querySelectorAll('.picture')].map((p) => [p.id.replace('-still', ''),
  [...p.querySelectorAll('.dim')].map((e) => e.__data__.datum.series ?? e.__data__.datum.arm ?? e.__data__.datum.value)]))"""


def test_a_weighting_is_lit_in_every_chart_that_it_stands_in(kept, opened):
    found = opened(kept).drawn()
    arm, other = "inverse_frequency(beta=0.5)", "plain"
    for ways in (
        lambda: found.page.hover(f".forest tr[data-arm='{arm}'] .value"),
        lambda: found.page.focus(f".arms button[data-arm='{arm}']"),
        lambda: found.page.hover(f"#roc-still text:text-is('{arm}')"),
    ):
        found.page.mouse.move(0, 0)
        found.page.evaluate("document.activeElement.blur()")
        found.page.keyboard.press("Escape")
        assert found.page.evaluate(LIT) == []
        assert not any(found.page.evaluate(DIM).values())
        ways()
        found.page.wait_for_function("document.querySelectorAll('.lit').length > 3")
        assert set(found.page.evaluate(LIT)) == {arm}
        assert "figure" in found.page.evaluate("[...document.querySelectorAll('.lit')].map((e) => e.localName)")
        dim = found.page.evaluate(DIM)
        for key in ("cost", "precision-recall", "roc", "exchange"):
            assert set(dim[key]) == {other}, key
        assert arm not in dim["path-0"]
        assert "plain" in dim["path-0"]
        assert dim["search"] == dim["reliability-plain"] == []  # it does not stand there


def test_a_weighting_that_is_chosen_stays_lit_until_it_is_let_go(kept, opened):
    found = opened(kept).drawn()
    button = found.page.locator(".arms button[data-arm='plain']").first
    button.focus()
    found.page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    found.page.hover("h1")
    found.page.wait_for_timeout(50)
    assert set(found.page.evaluate(LIT)) == {"plain"}
    found.slide("threshold", 1)  # the charts are drawn again
    found.page.wait_for_timeout(300)
    assert "inverse_frequency(beta=0.5)" in found.page.evaluate(DIM)["cost"]
    found.page.keyboard.press("Escape")
    assert found.page.evaluate(LIT) == []
    assert button.get_attribute("aria-pressed") == "false"
    found.page.click(".forest tr[data-arm='focal(gamma=2)'] .value")
    found.page.hover("h1")
    assert set(found.page.evaluate(LIT)) == {"focal(gamma=2)"}
    assert found.wrong == []


def test_every_chart_says_what_is_under_the_pointer(kept, three, opened):
    for study in (kept, three):
        found = opened(study).drawn()
        for key in found.page.evaluate(
            "[...document.querySelectorAll('.picture')].map((p) => p.id.replace('-still', ''))"
        ):
            found.page.locator(f"#{key}-still").scroll_into_view_if_needed()
            x, y = found.page.evaluate(
                "(key) => { const all = [...document.querySelectorAll(`#${key}-still .mark-symbol path, #${key}-still .mark-rect path`)]"
                ".filter((e) => e.__data__?.datum && !e.closest('[class*=legend]') && e.getBoundingClientRect().height > 2);"
                " const r = all[Math.floor(all.length / 2)].getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }",
                key,
            )
            found.page.mouse.move(x, y)
            found.page.mouse.move(x + 1, y)
            found.page.wait_for_selector("#vg-tooltip-element.visible", timeout=5_000)
            assert re.search(r"\d", found.text("#vg-tooltip-element")), key
            found.page.mouse.move(0, 0)
            found.page.wait_for_selector("#vg-tooltip-element:not(.visible)", state="attached", timeout=5_000)
        assert found.wrong == []


def test_a_row_shows_how_far_its_probabilities_can_be_believed(kept, opened):
    groups = [{"predicted": 0.1, "observed": 0.2, "rows": 80}, {"predicted": 0.4, "observed": 0.3, "rows": 20}]
    kept["arms"][2]["reliability"] = groups
    found = opened(kept).drawn()
    row = found.page.locator(".forest tr.more[data-arm='focal(gamma=2)']")
    row.locator("summary").focus()
    found.page.keyboard.press("Enter")
    chart = row.locator("svg")
    assert "the largest distance from the diagonal is 0.100" in chart.get_attribute("aria-label")
    assert chart.locator("polyline").get_attribute("points") == "25.0,50.0 100.0,25.0"  # of an axis that ends at 0.4
    assert chart.is_visible()
    assert chart.locator("title").first.text_content() == "given 0.1, came true 0.2, 80 rows"


def test_words_stand_out_from_the_ground_in_light_and_dark(any_study, read):
    """WCAG's 4.5 : 1 for every text on the page, charts included."""
    found = read(any_study)
    for scheme in ("dark", "light"):
        found.page.emulate_media(color_scheme=scheme)
        assert found.page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return c.startsWith('color(') ? [...m.slice(0, 3).map((v) => 255 * v), m[3] ?? 1] : m; };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (el) => { for (; el; el = el.parentElement) { const c = parse(getComputedStyle(el).backgroundColor); if ((c[3] ?? 1) > 0) return c; } return [255, 255, 255]; };
  const poor = [];
  for (const el of document.querySelectorAll('main *, footer')) {
    const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || el.closest('[hidden], .unseen') || el.disabled || !el.getClientRects().length) continue;
    const style = getComputedStyle(el), svg = el.namespaceURI.endsWith('svg');
    const a = light(parse(svg ? style.fill : style.color)), b = light(ground(el));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(el.tagName + ' ' + el.textContent.trim().slice(0, 40) + ' ' + ratio.toFixed(2));
  }
  return poor;
}"""


def test_the_body_does_not_scroll_sideways(any_study, read):
    found = read(any_study)
    for width in (400, 768, 900, 1920, 1280):  # the last is the width of a page that is opened
        found.page.set_viewport_size({"width": width, "height": 900})
        assert found.page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_paper_there_are_pictures_and_numbers_but_no_controls(kept, opened):
    found = opened(kept, color_scheme="dark").drawn()
    found.page.emulate_media(media="print")
    assert found.text("#threshold-said") == "0.231"  # a slider is its value
    for gone in ("#threshold", "input[name=arm]", ".toc", "button"):
        assert not any(one.is_visible() for one in found.page.locator(gone).all()), gone
    assert [one.text_content().strip() for one in found.page.locator("fieldset label:visible").all()] == ["plain"]
    assert found.page.locator("#precision-recall-still svg").is_visible()
    assert found.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert len(found.page.pdf()) > 10_000


PAGES = re.compile(rb"/Type\s*/Page\b(?!s)")


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("which", ["kept", "three"])
def test_the_printed_page_is_whole(request, which, paper, opened, tmp_path):
    study = request.getfixturevalue(which)
    found = opened(study, color_scheme="dark").drawn()
    figures = found.page.evaluate(
        "[...document.querySelectorAll('figure')].map((f) => [f.querySelector('h3').textContent, f.querySelector('figcaption').textContent])"
    )
    said = found.page.evaluate("[...document.querySelectorAll('.forest dd')].map((dd) => dd.textContent)")
    made = found.page.pdf(path=tmp_path / "page.pdf", format=paper)
    many = len(PAGES.findall(made))
    assert 5 <= many <= 14
    assert not found.page.locator(".forest details[open]").count()  # those of the rows are closed again
    if shutil.which("pdftotext") is None:
        pytest.skip("there is no pdftotext (poppler-utils): the pages are counted, and not read")
    text = subprocess.run(
        ["pdftotext", "-raw", tmp_path / "page.pdf", "-"], check=True, capture_output=True, text=True
    ).stdout
    pages = text.split("\f")[:-1]
    assert len(pages) == many
    plain = [squeezed(page) for page in pages]
    for i, page in enumerate(plain, start=1):
        assert f"page{i}of{many}" in page
        assert page.startswith(squeezed("ill.csv: "))
    for title, caption in figures:  # no figure is cut: its title and the end of its caption are on one page
        assert any(squeezed(title) in page for page in plain), title
        last = squeezed(caption)[-25:]
        assert any(squeezed(title)[:20] in page and last[-12:] in page for page in plain), title
    whole = "".join(plain)
    for words in said:
        assert all(squeezed(word) in whole for word in words.split()), words
    for heading in found.page.locator("h2").all_text_contents():
        ends = [page for page in plain if page.endswith(squeezed(heading))]
        assert not ends, heading
    assert (squeezed('Call "ill" from a probability of0.231') if which == "kept" else "×1.00") in whole


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def test_the_whole_page_can_be_walked_with_the_keyboard(kept, opened):
    found = opened(kept).drawn()
    reached = []
    for _ in range(60):
        found.page.keyboard.press("Tab")
        reached.append(found.page.evaluate("document.activeElement.id || document.activeElement.name"))
    assert [name for name in reached if name in ("arm", "threshold", "ratio", "capacity", "back")][:4] == [
        "arm",
        "threshold",
        "ratio",
        "capacity",
    ]


def test_two_studies_side_by_side_need_no_script(kept, hostile, opened):
    found = opened(
        report.compare_html(Report.from_json(kept), Report.from_json(hostile)), viewport={"width": 400, "height": 900}
    )
    assert found.wrong == []
    assert found.asked == [found.uri]
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 400
    assert found.text("h1") == "Two studies side by side"
