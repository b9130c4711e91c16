"""Take a picture of the page, and write it to standard output as a PNG."""

import sys

from playwright.sync_api import sync_playwright

LESSON = "Extra 5: Shipping the virtual environment"

with sync_playwright() as playwright:
    # A container has no user namespaces to make a sandbox of; the only page opened is our own.
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 1040})
    page.set_default_timeout(90_000)  # milliseconds; the first page of a container is slow
    page.goto("http://web:8000")
    page.get_by_role("combobox").click()
    page.get_by_role("option", name=LESSON).click()
    page.get_by_text("Extra 5 keeps ").wait_for()
    # Streamlit says itself when its script has run to the end, and marks what is of an earlier run.
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function("() => !document.querySelector('[data-stale=true]')")
    sys.stdout.buffer.write(page.screenshot())
    browser.close()
