"""The pages in a real browser: nothing in the console, nothing for axe to say, keys, narrow screens, no script. Needs Debian's chromium."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.records import documents
from tests.machine import PATIENCE
from tests.pipeline.world import x12_order
from tests.web.conftest import Seeded

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="chromium is not installed: apt-get install chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install order-gateway[dev]")

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
#: everything in light colours; in dark ones only what colours can spoil
RULES = {
    "light": {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}},
    "dark": {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    playwright.expect.set_options(timeout=PATIENCE * 1000)
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=ARGUMENTS, timeout=PATIENCE * 1000)
        yield made
        made.close()


class Tab:
    """A page that remembers what the console said."""

    def __init__(self, browser, site, **options) -> None:
        given = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", "timezone_id": "UTC", "reduced_motion": "reduce", **options}
        self.context = browser.new_context(**given)
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text) if message.type in {"error", "warning"} else None)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self._url = site.url

    def open(self, path: str):
        self.page.goto(self._url + path)
        return self.page

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.context.close()


def paths(seeded: Seeded) -> list[str]:
    with seeded.world.station.database.read() as connection:
        found = documents.search(connection, documents.Filters())
    chosen = {(row.kind, row.state): row.id for row in found}
    return [
        "/",
        "/documents",
        "/documents?q=PO",
        "/documents?partner=none",
        "/holds",
        "/deliveries",
        "/receivables",
        "/partners",
        "/partners/acme",
        "/trail",
        "/trail?q=PO-CLEAN",
        "/nothing",
        *(f"/documents/{id}" for id in chosen.values()),
        f"/documents/{seeded.document('PO-CLEAN').id}?explain=1",
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_nothing_to_say_and_neither_has_the_console(browser, seeded: Seeded, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    faults = []
    with Tab(browser, seeded.site, color_scheme=scheme) as tab:
        for path in paths(seeded):
            page = tab.open(path)
            result = Axe().run(page, options=RULES[scheme])
            assert result.response["passes"], f"axe looked at nothing on {path}"
            if result.violations_count:
                faults.append(f"{path}\n{result.generate_report()}")
        said = [words for words in tab.said if "404" not in words]
    assert not faults, "\n".join(faults)
    assert said == []


def test_every_page_fits_a_screen_of_320_pixels(browser, seeded: Seeded) -> None:
    with Tab(browser, seeded.site, viewport={"width": 320, "height": 700}) as tab:
        wide = {path: width for path in paths(seeded) if (width := tab.open(path).evaluate("document.documentElement.scrollWidth")) > 320}
    assert wide == {}


def test_keys_find_move_open_and_explain(browser, seeded: Seeded) -> None:
    expect = playwright.expect
    with Tab(browser, seeded.site) as tab:
        page = tab.open("/documents")
        page.keyboard.press("/")
        expect(page.locator("#find")).to_be_focused()
        page.keyboard.type("PO-HjkELD?")
        expect(page.locator("#find")).to_have_value("PO-HjkELD?")
        page.locator("#find").fill("PO-HELD")
        page.keyboard.press("Enter")
        page.wait_for_url("**/documents?q=PO-HELD")
        page.keyboard.press("j")
        expect(page.locator("[data-row] .row-link").first).to_be_focused()
        page.keyboard.press("Enter")
        page.wait_for_url("**/documents/D-*")
        page.keyboard.press("n")
        assert page.url.endswith("#s9e4")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("#keys")).to_be_hidden()
        assert tab.said == []


def test_the_first_tab_leads_to_the_content(browser, seeded: Seeded) -> None:
    with Tab(browser, seeded.site) as tab:
        page = tab.open("/")
        page.keyboard.press("Tab")
        playwright.expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")


def test_show_it_leads_to_the_faulty_element(browser, seeded: Seeded) -> None:
    with Tab(browser, seeded.site) as tab:
        page = tab.open("/documents?state=rejected")
        page.locator("[data-row] .row-link").last.click()
        page.get_by_role("link", name="Show it").click()
        assert "#s10e5" in page.url
        playwright.expect(page.locator("#s10e5")).to_be_in_viewport()


@pytest.mark.parametrize("script", [True, False], ids=["with script", "without script"])
def test_a_person_releases_a_held_order(browser, fresh: Seeded, script: bool) -> None:
    expect = playwright.expect
    fresh.world.receive(x12_order("PO1", lines=(("1", "10", "8.10", "SKU1"),)))
    with Tab(browser, fresh.site, java_script_enabled=script) as tab:
        page = tab.open("/")
        page.get_by_role("link", name="Order PO1").first.click()
        page.goto(fresh.site.url + "/holds")
        page.get_by_role("button", name="Release").click()
        expect(page).to_have_url(fresh.site.url + "/holds")  # the browser asks for the reason
        page.get_by_label("Reason").fill("agreed by phone")
        page.get_by_role("button", name="Release").click()
        expect(page.get_by_role("status")).to_contain_text("was released by web (local user)")
        if script:
            expect(page.get_by_role("status")).to_be_focused()
        assert tab.said == []
    fresh.world.settle()
    assert fresh.document("PO1").state == "accepted"


def test_filters_work_without_script_and_back_works(browser, seeded: Seeded) -> None:
    with Tab(browser, seeded.site, java_script_enabled=False) as tab:
        page = tab.open("/documents")
        page.get_by_label("State").select_option("held")
        page.get_by_role("button", name="Filter").click()
        playwright.expect(page.locator("[data-row]")).to_have_count(1)
        assert "state=held" in page.url
        page.go_back()
        assert page.url.endswith("/documents")


def test_a_page_loads_nothing_from_elsewhere(browser, seeded: Seeded) -> None:
    with Tab(browser, seeded.site) as tab:
        asked: list[str] = []
        tab.page.on("request", lambda request: asked.append(request.url))
        for path in ("/", f"/documents/{seeded.document('PO-HELD').id}"):
            tab.open(path)
    assert asked and all(url.startswith((seeded.site.url, "data:")) for url in asked)
