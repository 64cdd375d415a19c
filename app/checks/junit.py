"""Results of tests as JUnit XML, which every CI shows. Pure."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from msgspec import Struct

from app.checks.shapes import CaseView, Result, Suite


class Ran(Struct, frozen=True):
    """The tests of one flow that ran, by name."""

    flow: str
    results: list[tuple[str, Result]]

    @property
    def failed(self) -> int:
        return sum(result.status != "passed" for _, result in self.results)


def junit(suites: Sequence[Ran]) -> str:
    """A run that broke is an <error>, an expectation that does not hold a <failure>. Times in seconds."""
    root = Element("testsuites", name="Agentbase")
    for suite in suites:
        errors = sum(bool(result.error) for _, result in suite.results)
        seconds = sum(result.ms for _, result in suite.results) / 1000
        node = SubElement(root, "testsuite", name=suite.flow, time=f"{seconds:.3f}")
        counts = {"tests": len(suite.results), "failures": suite.failed - errors, "errors": errors}
        node.attrib |= {name: str(number) for name, number in counts.items()}
        for name, result in suite.results:
            case = SubElement(node, "testcase", name=name, classname=suite.flow, time=f"{result.ms / 1000:.3f}")
            if result.error:
                SubElement(case, "error", message=_clean(result.error))
            elif result.status != "passed":
                failure = SubElement(case, "failure", message=_clean(result.why))
                failure.text = _clean("\n\n".join(_words(result)))
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def last_results(suite: Suite) -> str:
    """What was found last, a testsuite for each suite of a flow; one for all tests where there is no suite.

    Tests that never ran are left out.
    """
    meant = [suite.only] if suite.only is not None else suite.suites
    if not meant:
        return junit([_ran(suite.flow, suite.cases)])
    by_id = {case.id: case for case in suite.cases}
    return junit(
        [_ran(f"{suite.flow}, {each.name}", [by_id[id] for id in each.cases if id in by_id]) for each in meant]
    )


def _ran(name: str, cases: Sequence[CaseView]) -> Ran:
    return Ran(name, [(case.case.name, case.last) for case in cases if case.last and case.last.status != "running"])


def _words(result: Result) -> list[str]:
    return [
        f"{verdict.words}: {verdict.said}\nexpected: {verdict.expected}\ncame:     {verdict.actual}"
        for verdict in result.verdicts
        if not verdict.passed
    ]


def _clean(text: str) -> str:
    """Without the characters that XML can't hold, not even escaped."""
    return "".join(c if c in "\t\n" or (c >= " " and c not in "\ufffe\uffff") else "�" for c in text)
