"""A real browser for tests: Debian's chromium, driven through Playwright, and what it complains of."""

import shutil

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import sync_playwright

CHROMIUM = shutil.which("chromium")
# nothing of its own shall go anywhere: it is here to show our pages
_QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions",
)  # fmt: skip
# what was sent of a page and of everything it is made of, whether it came now or was kept from before
WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
# what axe finds; all that was right is not sent over
VIOLATIONS = "asked => axe.run(asked).then(({violations}) => ({violations}))"
PHONE, KIOSK, DESK = {"width": 390, "height": 844}, {"width": 1080, "height": 1920}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def chromium():
    """The browser."""
    if CHROMIUM is None:
        pytest.skip("no chromium here: `make browser` says how to have it")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield running
        running.close()


class Watched:
    """A page in a window of its own, and all that is wrong with it: errors, what the policy stopped, requests to others."""

    def __init__(self, chromium, served, **options):
        self.at = f"http://127.0.0.1:{served.port}"
        self.context = chromium.new_context(base_url=self.at, **options)
        self.context.set_default_timeout(20_000)
        self.page = self.context.new_page()
        self.wrong = []
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("request", lambda one: None if one.url.startswith(self.at) else self.wrong.append(one.url))

    def look_closely(self):
        """That axe finds nothing, in light and in dark; that nothing runs over the side, also where letters are twice as large.

        And that the page with all it is made of is below 100 kB; nothing is known of it where a test has set the browser's clock.
        """
        self.page.evaluate(AXE_SCRIPT)
        for scheme, asked in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):  # only colours change
            self.page.emulate_media(color_scheme=scheme)
            found = AxeResults(self.page.evaluate(VIOLATIONS, asked | {"resultTypes": ["violations"]}))
            assert found.violations_count == 0, f"{self.page.url}, {scheme}: {found.generate_report()}"
        weight = self.page.evaluate(WEIGHT)
        assert weight < 100_000, f"{self.page.url}: {weight:,} bytes"
        self.page.emulate_media(color_scheme=None)
        size = self.page.viewport_size
        for width in (size["width"], 320):  # 320 is a desk of 640 at 200 %, and the smallest phone
            self.page.set_viewport_size({"width": width, "height": size["height"]})
            over = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert over <= 0, f"{self.page.url} at {width}: {over} pixels over the side"
        self.page.set_viewport_size(size)

    def close(self):
        """End it; nothing may have been wrong."""
        self.context.close()
        assert self.wrong == [], self.wrong


@pytest.fixture
def watched(chromium, town):
    """Opens pages of a town that are watched; each must have been without fault in the end."""
    opened = []

    def one(**options):
        opened.append(Watched(chromium, town, **options))
        return opened[-1]

    yield one
    for each in opened:
        each.close()
