import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from app import share_links
from engine.contract.jobs import Job
from engine.contract.run_spec import RunSpec
from engine.presets import preset
from engine.store import Store
from tests.browser.conftest import PATIENCE, Open, form, settle, start

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAGES = ("/", "/lab", "/runs", "/claims", "/learn")
SMOKE = "A few seconds, to see"
WAVES = "Few-shot in a few seconds"
LONG = "The default experiment, ten times longer"


def badge(page: Page, word: str) -> Locator:
    return page.locator(".st-key-verdict .stMarkdownBadge", has_text=word)


def cancel(page: Page) -> None:
    """Cancel the run and wait until it has ended, so that the next need not queue."""
    page.get_by_role("button", name="Cancel").click()
    expect(badge(page, "cancelled")).to_be_visible(timeout=10_000)


def sideways(page: Page) -> int:
    """Return by how many pixels a page is wider than its window."""
    found = page.evaluate(
        "() => Math.max(...[document.documentElement, "
        "document.querySelector('[data-testid=stMain]')]"
        ".map(e => e.scrollWidth - e.clientWidth))"
    )
    return int(found)


def test_the_first_page_shows_a_recorded_run_with_real_curves(visit: Open) -> None:
    page = visit("/lab")
    expect(badge(page, "recorded")).to_be_visible()
    expect(page.locator(".verdict-line")).not_to_be_empty()
    page.wait_for_selector(".metascope-plot .scatterlayer path.js-line")


def test_call_film_and_main_chart_are_seen_without_scrolling(visit: Open) -> None:
    page = visit("/lab", width=1280)  # 800 high
    film, chart = page.locator(".st-key-film"), page.locator(".st-key-main-held_loss")
    chart.locator(".js-line").first.wait_for()
    film.locator(".js-line, .contourlayer, .main-svg").first.wait_for()
    call = page.locator(".call-lines").bounding_box()
    boxes = [place.bounding_box() for place in (film, chart)]
    assert call and all(boxes)
    left, right = boxes
    assert call["y"] + call["height"] <= min(left["y"], right["y"])
    assert left["x"] + left["width"] <= right["x"]  # the film comes first
    assert max(left["y"], right["y"]) < 450
    expect(film.get_by_text(re.compile(r"step 0 of \d+"))).to_be_visible()


def test_on_a_phone_the_call_comes_first(visit: Open) -> None:
    page = visit("/lab", width=390)
    call = page.locator(".call-lines").bounding_box()
    assert call and call["y"] + call["height"] < 800
    assert sideways(page) == 0


def test_the_link_is_copied_in_one_click_or_shown(visit: Open) -> None:
    page = visit("/lab")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copy = page.get_by_role("button", name="Copy link").first
    copy.focus()
    page.keyboard.press("Enter")
    told = page.get_by_role("status").filter(has_text="Copied.")
    expect(told.first).to_contain_text("not its numbers")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.startswith(f"{page.url.split('/lab')[0]}/lab?run=")
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject();"
        " document.execCommand = () => false; }"
    )
    copy.click()
    field = page.get_by_role("textbox", name="Copy link").first
    expect(field).to_have_value(link)
    expect(field).to_be_focused()
    assert page.evaluate("document.getSelection().toString()") in ("", link)
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()


def test_the_note_of_a_copy_is_whole_inside_a_menu(visit: Open) -> None:
    page = visit("/lab")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Export").click()
    page.get_by_role("button", name="Copy embed code").click()
    told = page.get_by_role("status").filter(has_text="Copied.").bounding_box()
    menu = page.get_by_test_id("stPopoverBody").bounding_box()
    assert told and menu
    assert menu["x"] <= told["x"]
    assert told["x"] + told["width"] <= menu["x"] + menu["width"]
    assert told["y"] + told["height"] <= menu["y"] + menu["height"]


def test_the_report_opens_offline_and_its_figures_answer_the_mouse(
    visit: Open, browser: Browser, tmp_path: Path
) -> None:
    page = visit("/lab")
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="Report").click()
    file = tmp_path / "report.html"
    taken.value.save_as(file)
    assert re.fullmatch(r"\w+_[0-9a-f]{8}_report.html", taken.value.suggested_filename)
    context = browser.new_context(offline=True, color_scheme="dark")
    report = context.new_page()
    asked = list[str]()
    report.on("request", lambda request: asked.append(request.url))
    report.goto(file.as_uri())
    report.wait_for_selector("html[data-drawn]", timeout=PATIENCE)
    assert asked == [file.as_uri()]
    chart = report.locator("figure", has_text="Training loss by step").first
    chart.locator(".nsewdrag").first.hover()
    expect(chart.locator(".hoverlayer")).to_contain_text("LR scale")
    film = report.locator("figure.wide").first
    film.locator(".updatemenu-button").first.click()  # play
    expect(film.locator(".slider-current-value, .slider-label").first).to_be_visible()
    assert Axe().run(report).violations_count == 0
    context.close()


def test_a_run_goes_from_the_keyboard_to_the_verdict(visit: Open) -> None:
    page = visit("/lab")
    start(page, SMOKE)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(badge(page, "done")).to_be_visible(timeout=180_000)
    expect(page.locator(".verdict-line")).to_contain_text("LR scale")
    assert re.search(r"run=[0-9a-f]{64}", page.url)
    page.reload()
    settle(page)
    expect(page.locator(".verdict-line")).to_contain_text("LR scale")


def test_a_number_that_is_still_being_typed_counts(visit: Open) -> None:
    page = form(visit("/lab"))
    page.get_by_role("textbox", name="Seed").fill("31337")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_role("textbox", name="Seed")).to_have_value("31337")
    cancel(page)
    page.get_by_role("tab", name="Reproduce").click()
    page.get_by_text("Show the settings").click()
    expect(page.get_by_text('"seed": 31337')).to_be_visible()


def test_a_run_is_cancelled_at_once_and_can_go_on(visit: Open) -> None:
    page = visit("/lab")
    start(page, LONG)
    cancel(page)
    expect(page.get_by_role("button", name="Resume")).to_be_visible()


def filed(home: Path, seed: int) -> list[Job]:
    """Return every run with a seed."""
    store = Store.open(home)
    jobs = store.jobs(None, "", 1000, 0)
    return [job for job in jobs if store.spec(job.key).seed == seed]


def test_three_fast_clicks_are_one_run(visit: Open, home: Path) -> None:
    page = form(visit("/lab"))
    page.get_by_role("textbox", name="Seed").fill("271828")
    page.keyboard.press("Enter")
    settle(page)
    page.locator(".st-key-run_button button").click(click_count=3, delay=60)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    settle(page)
    cancel(page)
    key = parse_qs(urlsplit(page.url).query)["run"][0]
    jobs = filed(home, 271828)
    assert [job.key for job in jobs] == [key]
    assert jobs[0].attempt <= 1  # none was taken up again


def at_once_and_for_long() -> RunSpec:
    """Return the smoke run, trained for long: its chart moves within seconds."""
    spec = preset("smoke").spec
    longer = {"task_evaluations": 100_000, "horizon": 50}
    return spec.model_copy(update={"budget": spec.budget.model_copy(update=longer)})


def test_zoom_survives_live_data(visit: Open) -> None:
    page = form(visit(f"/lab?x={share_links.pack(at_once_and_for_long())}"))
    page.keyboard.press("Control+Enter")
    chart = ".st-key-main-check-loss .metascope-plot"
    plot = page.locator(chart).first
    plot.locator(".js-line").first.wait_for()
    values = "node => JSON.stringify(node.data.map(trace => trace.y))"
    drawn = plot.evaluate(values)
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] * 0.4, y + box["height"] * 0.4, steps=6)
    page.mouse.up()
    zoomed = plot.evaluate("node => node.layout.xaxis.range.map(Number)")
    page.wait_for_function(
        f"([chart, before]) => ({values})(document.querySelector(chart)) !== before",
        arg=[chart, drawn],
    )
    assert plot.evaluate("node => node.layout.xaxis.range.map(Number)") == zoomed
    assert zoomed[1] - zoomed[0] < 45
    cancel(page)


@pytest.mark.parametrize("bad", ["../../etc/passwd", "<script>alert(1)</script>"])
def test_a_bad_link_is_one_sentence(visit: Open, bad: str) -> None:
    page = visit(f"/lab?run={bad}")
    expect(page.get_by_text("There is no run with this id.")).to_be_visible()


BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(14, 17, 23)"}


def assert_accessible(page: Page) -> None:
    """Let axe look at a page in the light and then in the dark."""
    for scheme, background in BACKGROUNDS.items():
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        expect(page.locator(".stApp")).to_have_css("background-color", background)
        settle(page)
        found = Axe().run(page)
        assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"


@pytest.mark.parametrize("path", [*PAGES, "/lab?tab=Reproduce", "/compare"])
def test_axe_finds_nothing_in_the_light_and_in_the_dark(visit: Open, path: str) -> None:
    page = visit(path)
    assert_accessible(form(page) if path.startswith("/lab") else page)


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_needs_no_sideways_scroll(visit: Open, path: str) -> None:
    assert sideways(visit(path, width=390)) <= 0


def test_the_theme_follows_the_system(visit: Open) -> None:
    for scheme, background in BACKGROUNDS.items():
        app = visit("/runs", scheme=scheme).locator(".stApp")
        expect(app).to_have_css("background-color", background)


def few(visit: Open, scheme: str = "light", width: int = 1280) -> Page:
    """Open the Lab and ask for few-shot learning."""
    page = visit("/lab", scheme=scheme, width=width)
    page.wait_for_selector(".st-key-run_button button:enabled")
    page.get_by_role("radio", name="Few-shot").click()
    return form(page)


@pytest.fixture(scope="module")
def fewshot_run(server: str, browser: Browser) -> str:
    """Run the small few-shot experiment once; return its link."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{server}/lab")
    page.wait_for_selector(".st-key-run_button button:enabled")
    page.get_by_role("radio", name="Few-shot").click()
    settle(page)
    start(page, WAVES)
    badge(page, "done").wait_for(timeout=180_000)
    url = page.url.removeprefix(server)
    page.close()
    return url


def test_a_few_shot_run_goes_from_the_keyboard_to_the_table(
    visit: Open, fewshot_run: str
) -> None:
    page = visit(fewshot_run)
    expect(page.locator(".verdict-line")).to_contain_text("MAML")
    plot = page.locator(".st-key-film .metascope-plot").first
    plot.scroll_into_view_if_needed()  # what is far below is not drawn yet
    told = page.locator(".st-key-film").get_by_text(re.compile(r"inner step \d+ of"))
    expect(told).to_have_text(re.compile(r"inner step 0 of \d+$"))
    page.get_by_role("button", name="Play").click()
    expect(told).to_have_text(re.compile(r"inner step (\d+) of \1$"))
    page.get_by_role("radio", name="Table").click()
    with page.expect_download() as taken:
        page.get_by_role("button", name="LaTeX").click()
    assert taken.value.suggested_filename.endswith(".tex")
    assert "MAML" in taken.value.path().read_text(encoding="utf-8")


def test_axe_finds_nothing_where_a_few_shot_run_is_done(
    visit: Open, fewshot_run: str
) -> None:
    assert_accessible(form(visit(fewshot_run)))


def test_axe_finds_nothing_during_a_few_shot_run(visit: Open) -> None:
    page = few(visit)
    page.get_by_role("textbox", name="Seed").fill("31415")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    found = Axe().run(page)
    cancel(page)
    assert found.violations_count == 0, found.generate_report()


def test_a_few_shot_run_needs_no_sideways_scroll_on_a_phone(
    visit: Open, fewshot_run: str
) -> None:
    assert sideways(visit(fewshot_run, width=390)) <= 0
