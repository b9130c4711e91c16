"""Take a picture of the page, and write it to standard output as a PNG."""

import struct
import sys
import zlib

from playwright.sync_api import sync_playwright

LESSON = "Extra 5: Shipping the virtual environment"


def described(picture: bytes, text: str) -> bytes:
    """Write a text into a PNG, behind its header: https://www.w3.org/TR/png-3/#11tEXt"""
    chunk = b"tEXtDescription\0" + text.encode("latin-1")
    length, check = struct.pack(">I", len(chunk) - 4), struct.pack(">I", zlib.crc32(chunk))
    return picture[:33] + length + chunk + check + picture[33:]


with sync_playwright() as playwright:
    # A container has no user namespaces to make a sandbox of; the only page opened is our own.
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    page = browser.new_page(viewport={"width": 1280, "height": 1060})
    page.set_default_timeout(90_000)  # milliseconds; the first page of a container is slow
    page.goto("http://web:8000")
    page.locator("[data-testid=stAlert], table").first.wait_for()
    if page.get_by_test_id("stAlert").count():
        sys.exit(page.get_by_test_id("stAlert").inner_text())
    page.get_by_role("combobox").click()
    page.get_by_role("option", name=LESSON).click()
    page.get_by_text("Extra 5 keeps ").wait_for()
    # Streamlit says itself when its script has run to the end, and marks what is of an earlier run.
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.wait_for_function("() => !document.querySelector('[data-stale=true]')")
    shown = ", ".join(page.get_by_test_id("stMetricValue").all_inner_texts())
    sys.stdout.buffer.write(described(page.screenshot(), shown))
    browser.close()
