"""What the Content-Security-Policy promises, tried in the browser: a text never becomes markup by accident."""

import re

from playwright.sync_api import Page

from tests.factories.accounts import a_person

INJECT = """() => {
  const tries = {
    innerHTML: () => { document.body.firstElementChild.innerHTML = "<b>x</b>" },
    insert: () => document.body.insertAdjacentHTML("beforeend", "<b>x</b>"),
    script: () => { document.createElement("script").src = "/static/other.js" },
    policy: () => trustedTypes.createPolicy("mine", { createHTML: (text) => text }),
    again: (name) => trustedTypes.createPolicy("htmx", { createHTML: (text) => text }),
  }
  return Object.entries(tries).filter(([, attempt]) => {
    try { attempt(); return true } catch { return false }
  }).map(([name]) => name)
}"""
BLOCKED = ["TrustedHTML", "TrustedScriptURL", "TrustedTypePolicy"]


def attempts_that_worked(page: Page, expected: list[str]) -> list[str]:
    expected += BLOCKED
    return page.evaluate(INJECT)


def test_nothing_in_the_dashboard_turns_text_into_markup_past_the_two_policies(page, expected):
    page.goto("/")
    assert attempts_that_worked(page, expected) == []


def test_nothing_on_a_published_site_does_either(entered, made, opened, expected):
    page = entered(made(a_person()))
    page.goto("/start")
    page.get_by_role("button", name=re.compile("Chat assistant")).click()
    visitor = opened()
    visitor.goto(page.get_by_role("link", name="Open my site").get_attribute("href"))
    assert attempts_that_worked(visitor, expected) == []
