import pytest

from app.web.hx_nonce import STAMP, stamp


@pytest.mark.parametrize(
    ("source", "stamped"),
    [
        ('<button hx-post="/a">x</button>', f'<button{STAMP} hx-post="/a">x</button>'),
        ("<button{{ attrs | xmlattr }}>", f"<button{STAMP}{{{{ attrs | xmlattr }}}}>"),
        (
            '<a {% if n > 1 %}hx-get="/{{ n }}"{% endif %} class="b">',
            f'<a{STAMP} {{% if n > 1 %}}hx-get="/{{{{ n }}}}"{{% endif %}} class="b">',
        ),
        ('<p title="a > b" hx-get="/">', f'<p{STAMP} title="a > b" hx-get="/">'),
    ],
)
def test_a_tag_of_ours_that_sends_requests_carries_the_nonce(source, stamped):
    assert stamp(source) == stamped


@pytest.mark.parametrize(
    "source",
    [
        "<p>plain</p> hx-get",
        '<b hx-nonce="{{ nonce }}" hx-get="/">',
        '{# <b hx-get="/"> #}<p>',
        '<!-- <b hx-get="/"> --><p>',
        '{% raw %}<b hx-get="/">{% endraw %}<p>',
    ],
)
def test_everything_else_stays_as_it_was_written(source):
    assert stamp(source) == source
