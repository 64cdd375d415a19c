import pytest
from msgspec import UNSET

from components.start.api import Settings as ApiSettings
from components.start.api import api
from components.start.chat import Settings as ChatSettings
from components.start.chat import chat
from components.start.fields import Field
from components.start.form import Settings as FormSettings
from components.start.form import form
from components.start.webhook import Settings as WebhookSettings
from components.start.webhook import webhook
from flows.sdk import File, Message, NodeError, Nothing
from flows.sdk.testing import context


async def test_chat_hands_on_message_history_and_conversation():
    given = {"message": "And now?", "history": [{"role": "assistant", "text": "Hello!"}], "conversation": "c1"}
    out = await chat.run(ChatSettings(), Nothing(), context(given))
    assert out.message == Message("And now?")
    assert out.history == [Message("Hello!", "assistant")] and out.conversation == "c1"


@pytest.mark.parametrize("message", [None, "", "   ", 3])
async def test_chat_without_a_message_points_at_it(message):
    with pytest.raises(NodeError, match="Write something") as refused:
        await chat.run(ChatSettings(), Nothing(), context({"message": message}))
    assert refused.value.field == "message"


NOTE = {"id": "a" * 64, "name": "notes.txt", "media_type": "text/plain", "size": 3}


async def test_chat_takes_files_only_where_it_says_so_and_they_may_come_without_words():
    off = await chat.run(ChatSettings(), Nothing(), context({"message": "Hi", "files": [NOTE]}))
    assert off.files is UNSET and "files" not in [port.name for port in chat.ports(ChatSettings()).outputs]
    on = ChatSettings(files=True)
    assert [port.type for port in chat.ports(on).outputs if port.name == "files"] == ["list"]
    assert (await chat.run(on, Nothing(), context({"message": "Hi"}))).files == []
    out = await chat.run(on, Nothing(), context({"message": "", "files": [NOTE]}))
    assert out.message == Message("") and out.files == [File(**NOTE)]


@pytest.mark.parametrize("files", ["notes.txt", [1], [{"id": "a"}], [NOTE] * 11])
async def test_what_is_no_file_and_too_many_of_them_are_refused(files):
    with pytest.raises(NodeError) as refused:
        await chat.run(ChatSettings(files=True), Nothing(), context({"message": "Hi", "files": files}))
    assert refused.value.field == "files"


FIELDS = [
    Field("name", "Your name"),
    Field("age", kind="number", required=False),
    Field("news", kind="yes/no"),
    Field("size", kind="choice", choices=["S", "M"], required=False),
    Field("photo", kind="file", required=False),
]


async def test_form_text_is_read_as_the_kind_of_its_field_and_an_empty_optional_field_is_left_out():
    file = {"id": "f1", "name": "a.png", "media_type": "image/png", "size": 3}
    given = {"name": "Ann", "age": "41", "news": "on", "size": "", "photo": file}
    out = await form.run(FormSettings(fields=FIELDS), Nothing(), context(given))
    assert out.values == {"name": "Ann", "age": 41, "news": True, "photo": File("f1", "a.png", "image/png", 3)}


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({}, "name", "'Your name' is empty"),
        ({"name": "Ann", "age": "old"}, "age", "must be a number, not 'old'"),
        ({"name": "Ann", "size": "XL"}, "size", "one of: S, M; not 'XL'"),
        ({"name": "Ann", "photo": "x"}, "photo", "must be a file"),
    ],
)
async def test_a_form_that_does_not_fit_names_the_field(given, field, says):
    with pytest.raises(NodeError, match=says) as refused:
        await form.run(FormSettings(fields=FIELDS), Nothing(), context(given))
    assert refused.value.field == field


def test_each_field_is_an_output_and_optional_ones_may_stay_silent():
    ports = {port.name: port for port in form.ports(FormSettings(fields=FIELDS)).outputs}
    assert {name: port.type for name, port in ports.items()} == {
        "name": "text",
        "age": "number",
        "news": "yesno",
        "size": "text",
        "photo": "file",
        "fields": "object",
    }
    assert [name for name, port in ports.items() if port.branch] == ["age", "size", "photo"]


def test_two_fields_of_one_name_are_refused():
    with pytest.raises(NodeError, match="Two fields are named 'a'"):
        form.ports(FormSettings(fields=[Field("a"), Field("a")]))


async def test_webhook_hands_on_the_request():
    given = {"method": "PUT", "headers": {"x-a": "1"}, "query": {"q": "2"}, "body": [1]}
    out = await webhook.run(WebhookSettings(), Nothing(), context(given))
    assert (out.method, out.headers, out.query, out.body) == ("PUT", {"x-a": "1"}, {"q": "2"}, [1])


async def test_api_hands_on_the_whole_input_and_the_named_ones():
    settings = ApiSettings(fields=[Field("ids", kind="list")])
    out = await api.run(settings, Nothing(), context({"ids": [1], "more": True}))
    assert out.input == {"ids": [1], "more": True} and out.values == {"ids": [1]}
