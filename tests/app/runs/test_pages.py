"""Pages of runs for people."""

from app.runs import service
from flows.model import Edge, NodeUse
from tests.factories.accounts import an_api_key
from tests.factories.runs import a_chain, a_version, a_worker, an_approval, wait_for


async def test_a_run_is_listed_and_shown_with_steps_values_and_time(signed_in):
    actor = signed_in.actor
    _, flow, version = await a_version(a_chain(4, name="Order mailbox", start="start.api"), actor.workspace_id)
    outcome = await service.answer(actor, version, {"order": "FH-204117"}, trigger="api")
    listed = await signed_in.get(f"/runs?flow={flow}")
    assert "Order mailbox" in listed.text and f"/runs/{outcome.run_id}" in listed.text
    shown = await signed_in.get(f"/runs/{outcome.run_id}?step=s1")
    assert shown.status_code == 200
    for words in ("Order mailbox", "FH-204117", "Set fields", "Done", "version" if False else "Version"):
        assert words in shown.text
    assert "style=" not in shown.text


async def test_a_person_answers_a_waiting_run_from_its_page(signed_in):
    actor = signed_in.actor
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {"order": 7}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
        assert "May it go out?" in (await signed_in.get("/needs-you")).text
        assert ">1<" in (await signed_in.get("/needs-you/count")).text
        page = await signed_in.get(f"/runs/{run}")
        assert "May it go out?" in page.text and 'value="approve"' in page.text
        sent = await signed_in.post(f"/runs/{run}/answer", data={"name": "approval", "choice": "approve"})
        assert sent.status_code in (200, 303), sent.text
        await wait_for(actor.workspace_id, run, "succeeded")


async def test_a_person_fills_in_what_the_approval_asks_for(signed_in):
    actor = signed_in.actor
    made = an_approval()
    made.nodes[1].settings["fields"] = [{"name": "sum", "label": "How much", "kind": "number"}]
    made.edges[1] = Edge("ask.sum", "answer.data")
    _, _, version = await a_version(made, actor.workspace_id)
    async with a_worker():
        run = await service.start(actor, version, {"order": 7}, trigger="api")
        await wait_for(actor.workspace_id, run, "waiting")
        for page in ("/needs-you", f"/runs/{run}?step=ask"):
            assert "How much" in (await signed_in.get(page)).text
        said = {"name": "approval", "step": "ask", "choice": "approve", "field.sum": "12.5"}
        assert (await signed_in.post(f"/runs/{run}/answer", data=said)).status_code in (200, 303)
        row = await wait_for(actor.workspace_id, run, "succeeded", "failed")
    assert '"data":12.5' in row["output"].replace(" ", "")


async def test_an_empty_list_says_what_to_do(signed_in):
    assert "Nothing has run yet" in (await signed_in.get("/runs")).text
    assert "Nothing needs you" in (await signed_in.get("/needs-you")).text


async def test_cancelling_from_the_page(signed_in):
    actor = signed_in.actor
    _, _, version = await a_version(an_approval(), actor.workspace_id)
    run = await service.start(actor, version, {}, trigger="api")
    assert (await signed_in.post(f"/runs/{run}/cancellation", data={})).status_code in (200, 303)
    assert (await wait_for(actor.workspace_id, run, "cancelled"))["status"] == "cancelled"


async def test_a_run_that_pauses_is_gone_on_with_from_its_page_and_a_misfit_is_shown_at_its_field(signed_in):
    from app.studio import breakpoints, tries
    from tests.factories.studio import a_document
    from tests.factories.studio import a_flow as a_draft

    actor = signed_in.actor
    flow = await a_draft(actor, a_document())
    prompt = next(node.id for node in a_document().nodes if node.type == "ai.prompt")
    await breakpoints.set(actor, flow, prompt, breakpoints.BreakForm())
    async with a_worker():
        run = await tries.begin(actor, flow, {"message": "Which tulips?"})
        await wait_for(actor.workspace_id, run, "waiting")
        shown = await signed_in.get(f"/runs/{run}")
        assert "Paused before this step" in shown.text and "Which tulips?" in shown.text
        gone = await signed_in.post(f"/runs/{run}/pauses", data={"step": "nobody", "how": "next"})
        assert gone.status_code == 409
        sent = {"step": prompt, "how": "next", "message.question": "Which <b>roses</b>?"}
        assert (await signed_in.post(f"/runs/{run}/pauses", data=sent)).status_code in (302, 303)
        await wait_for(actor.workspace_id, run, "succeeded")
    assert "Which &lt;b&gt;roses&lt;/b&gt;?" in (await signed_in.get(f"/runs/{run}")).text


async def test_what_a_step_said_is_on_its_page_and_in_the_api_without_secrets(signed_in):
    actor = signed_in.actor
    made = a_chain(3, start="start.api")
    made.nodes[1] = NodeUse(
        "s0", "code.python", settings={"code": "print('hello')\nprint('sk-live-abcdefghijklmnopqrstuvwx')\nreturn 1"}
    )
    made.edges = [Edge("start.input", "s0.value"), Edge("s0.result", "answer.data")]
    _, _, version = await a_version(made, actor.workspace_id)
    key = {"authorization": f"Bearer {await an_api_key(actor)}"}
    runs = [(await service.answer(actor, version, {}, trigger="api")).run_id]
    async with a_worker():
        runs.append(await service.start(actor, version, {}, trigger="api"))
        assert (await wait_for(actor.workspace_id, runs[1], "succeeded", "failed"))["status"] == "succeeded"
    for run in runs:
        page = (await signed_in.get(f"/runs/{run}?step=s0&tab=log")).text
        assert "hello" in page and "run-log__line--info" in page and "abcdefghijkl" not in page
        steps = (await signed_in.get(f"/api/v1/runs/{run}", headers=key)).json()["steps"]
        lines = next(step["logs"] for step in steps if step["node"] == "s0")
        assert (lines[0]["text"], lines[0]["level"]) == ("hello", "info") and 0 <= lines[0]["began"] < 60_000
        assert "abcdefghijkl" not in lines[1]["text"]
