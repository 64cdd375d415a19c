import msgspec
import pytest

from components.show.answer import Inputs, Settings, answer


async def test_the_text_set_here_goes_before_the_one_that_comes_in(ctx):
    assert (await answer.run(Settings(), Inputs("in", [1]), ctx)).text == "in"
    assert (await answer.run(Settings(text="set"), Inputs("in"), ctx)).text == "set"


async def test_programs_get_text_and_data_only_unless_a_webhook_needs_more(ctx):
    plain = await answer.run(Settings(), Inputs("a", {"b": 1}), ctx)
    assert msgspec.json.decode(msgspec.json.encode(plain)) == {"text": "a", "data": {"b": 1}}
    more = await answer.run(Settings(status=201, content_type="text/csv"), Inputs("a"), ctx)
    assert (more.status, more.content_type) == (201, "text/csv")


@pytest.mark.parametrize("kind", ["text/html", "text/csv; charset=utf-8", ""])
def test_a_content_type_fits_its_pattern(kind):
    assert msgspec.convert({"content_type": kind}, Settings).content_type == kind


def test_a_header_can_not_be_smuggled_in_through_the_content_type():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"content_type": "text/html\r\nSet-Cookie: a=b"}, Settings)
