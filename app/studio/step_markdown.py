"""The public twin of /steps: docs/steps/, one page a step and one list, written by `agentbase docs`."""

from collections.abc import Sequence

from app.studio.step_docs import PortDoc, SettingDoc, StepDoc

NOTE = "<!-- Written by `agentbase docs` from the step's code. Change it there. -->"


def pages(docs: Sequence[StepDoc]) -> dict[str, str]:
    """File name -> Markdown. The same docs give the same bytes."""
    return {"index.md": _index(docs), **{f"{doc.name}.md": _page(doc) for doc in docs}}


def _index(docs: Sequence[StepDoc]) -> str:
    lines = [
        NOTE,
        "",
        "# Steps",
        "",
        "What a flow can be made of. In the program: **Steps**, or the `?` beside a step's name.",
    ]
    for family in dict.fromkeys(doc.family_words for doc in docs):
        lines += ["", f"## {family}", "", "| step | what it does |", "|---|---|"]
        mine = [doc for doc in docs if doc.family_words == family]
        lines += [f"| [{doc.title}]({doc.name}.md) | {_cell(doc.sentence)} |" for doc in mine]
    return "\n".join(lines) + "\n"


def _page(doc: StepDoc) -> str:
    origin = f"since Agentbase {doc.since}" if doc.package == "Agentbase" else f"from the package {doc.package}"
    lines = [
        NOTE,
        "",
        f"# {doc.title}",
        "",
        f"`{doc.name}` · {doc.family_words} · version {doc.version} · {origin}",
        "",
        doc.what,
    ]
    lines += _ports("Takes", doc.inputs, asked=True) + _ports("Gives", doc.outputs, asked=False)
    lines += ["", "## Settings", ""]
    if doc.settings:
        lines += ["| setting | kind | default | about |", "|---|---|---|---|", *_settings(doc.settings, "")]
    else:
        lines.append("There is nothing to set.")
    if doc.refusals:
        lines += ["", "## When it fails", ""]
        lines += [
            f"- {refusal.text}" + (f" (Setting: {refusal.setting})" if refusal.setting else "")
            for refusal in doc.refusals
        ]
    lines += ["", "## After a crash", "", f"{doc.effect_words} (`{doc.effect}`)"]
    if doc.raises:
        lines += ["", "## For programmers", "", *doc.raises]
    return "\n".join(lines) + "\n"


def _ports(title: str, ports: Sequence[PortDoc], *, asked: bool) -> list[str]:
    if not ports:
        return []
    lines = ["", f"## {title}", "", "| name | type | about |", "|---|---|---|"]
    for port in ports:
        about = [port.help, "needed" if asked and port.needed else "", port.note]
        lines.append(
            f"| {_cell(port.title)} `{port.name}` | {port.type_words} | {_cell('; '.join(filter(None, about)))} |"
        )
    return lines


def _settings(settings: Sequence[SettingDoc], above: str) -> list[str]:
    lines = []
    for setting in settings:
        label = f"{above} → {setting.label}" if above else setting.label
        kind = f"{setting.kind} ({setting.limits})" if setting.limits else setting.kind
        default = "must be set" if setting.needed else setting.default or "empty"
        lines.append(f"| {_cell(label)} | {_cell(kind)} | {_cell(default)} | {_cell(setting.help)} |")
        lines += _settings(setting.inner, label)
    return lines


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
