"""A step leaves its chain and comes back, by keyboard; the others go on without it."""

from tests.browser.canvas_hands import eventually, reloaded, saved, step, wires


def test_a_step_is_taken_out_of_its_chain_and_put_back(opened_flow):
    page = opened_flow()
    before = wires(page)
    step(page, "Prompt").focus()
    page.keyboard.press("Shift+d")
    eventually(page, lambda: wires(page) == ["ask.message>reply.text"])
    saved(page)
    assert wires(reloaded(page)) == ["ask.message>reply.text"]
    step(page, "Prompt").focus()
    page.keyboard.press("z")
    eventually(page, lambda: wires(page) == before)
    saved(page)
