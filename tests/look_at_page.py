"""A program for a container with a browser: says what a person would see on the dashboard.

Its arguments are titles of lessons, which it chooses one after the other. It prints a line of JSON:
what is seen at first and after each choice, the hosts that were asked for something, and errors of
scripts.
"""

import json
import sys

from playwright.sync_api import Page, sync_playwright

# A bar or a point: what it stands for, and its colour
_MARKS = """marks => marks.map(mark => [mark.getAttribute('aria-label'), mark.getAttribute('fill')])
"""
_MARK = "path[aria-roledescription=bar], path[aria-roledescription=circle]"


def seen(page: Page) -> dict[str, object]:
    """Return what is on the page, when Streamlit says that all of it is there."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function("() => !document.querySelector('[data-stale=true]')")
    charts = page.locator("[data-testid=stVegaLiteChart]")
    for chart in charts.all():
        chart.locator(_MARK).first.wait_for()
    return {
        "numbers": page.locator("[data-testid=stMetricValue]").all_inner_texts(),
        "charts": [chart.locator(_MARK).evaluate_all(_MARKS) for chart in charts.all()],
        "rules": page.locator("table tbody tr").count(),
        "warnings": page.locator("[data-testid=stAlert]").all_inner_texts(),
        "text": page.locator("[data-testid=stMain]").inner_text(),
    }


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(90_000)  # milliseconds
    hosts, errors = set(), []
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto("http://web:8000")
    page.locator("[data-testid=stAlert], table").first.wait_for()
    views = [seen(page)]
    for title in sys.argv[1:]:
        page.get_by_role("combobox").click()
        page.get_by_role("option", name=title).click()
        page.get_by_text(f"{title.partition(':')[0]} keeps ").wait_for()
        views.append(seen(page))
    print(json.dumps({"views": views, "hosts": sorted(hosts), "errors": errors}))
    browser.close()
