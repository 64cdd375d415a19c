"""The language a person reads the product in. English is the source: what nobody translated is shown in English.

    choice.py      which language a request is answered in (profile, browser, the instance's default), and its writing
                   direction; `current()` is the language of the request that is being answered, "en" outside of one
    catalogue.py   catalogues/<lang>.po, read once a process, each message checked against its source
    source.py      a template's source as tokens
    units.py       cuts it into whole sentences (units) and puts translations back into their place
    message.py     one of them: its id, its places, a translation with the code in them
    expressions.py the words inside {{ … }} and {% … %}: literals, counts, values that hold sentences of ours
    sentences.py   finished English sentences (errors, toasts, labels out of Python): the same in another language
    figures.py     times, amounts, counts as the language writes them
    browser.py     what scripts say, as one file
    templates.py   an environment of Jinja for each language, made when it is first asked for

This package owns no page and no table, and nothing in it knows of a domain.

Message ids. An id is the English sentence with its white space collapsed. What is put in is numbered from 1 in the
order of the English text: `{1}`. An inline element is `<1>…</1>`, one without content `<1/>`; elements and values have
separate numbers. A translation has exactly the placeholders of its source, in any order, elements properly nested;
anything else that looks like HTML or Jinja is text, and a brace that is no placeholder is refused.

Contract with the scripts (static/src/words.js, where the syntax of t and plural is described):
  * `<html lang dir>` always says language and direction.
  * When the language is not English, the page carries, ahead of its modules,
    `<script defer nonce src="/language/de.3f2a9c….js"></script>`; an English page has no such element. The address
    holds a hash and is cached for a year; it needs no session.
  * The file: agentbaseWords={"language": "de",
               "messages": {"Run {1} steps": "{1} Schritte ausführen", …},
               "plurals": {"{1} step": {"one": "{1} Schritt", "other": "{1} Schritte"}, …}}
    with the categories of Intl.PluralRules in "plurals"; the key is the English singular. What is not in the file is
    said in English. Translations are text: textContent or attributes, never markup.
"""
