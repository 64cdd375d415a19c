"""show.reply: the answer now, and the flow goes on."""

from components.show.answer import INPUTS, Inputs, Outputs, Settings, answer
from flows.sdk import Context, Ports, node


@node(
    "show.reply",
    version=1,
    title="Answer now",
    effect="pure",
    icon="reply-all",
    result=True,
    early=True,
    ports=lambda settings: Ports(INPUTS),
    summary=lambda settings: settings.text[:80],
)
async def reply(settings: Settings, inputs: Inputs, ctx: Context) -> Outputs:
    """Gives the answer of the run at once to whoever waits for it; the steps after it and beside it go on.

    What goes on is on record like every run: it survives restarts, and its failure shows on its page, though the caller
    has had the answer. The first answer step of a run counts, whichever kind it is.
    """
    return await answer.run(settings, inputs, ctx)
