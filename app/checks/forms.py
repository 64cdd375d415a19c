"""What people and programs send about tests."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.checks.shapes import MOST_CHECKS, MOST_SUITES, Case, Expectation, Kind, SuiteName

Name = Annotated[str, Meta(min_length=1, max_length=120, title="Name")]
Expectations = Annotated[list[Expectation], Meta(max_length=MOST_CHECKS)]


class SaveForm(Struct, forbid_unknown_fields=True):
    """Save a run as a test. `expect` left out: the result must be exactly what it was.

    `replace`: a test of this flow that gets the run's input and recorded answers, and keeps its name and expectations.
    """

    name: Annotated[str, Meta(max_length=120, title="Name")] = ""
    expect: Expectations | UnsetType = UNSET
    replace: UUID | None = None


class CaseForm(Struct, forbid_unknown_fields=True):
    """A test made or changed by hand. What is left out stays as it is."""

    name: Name | UnsetType = UNSET
    input: Any = UNSET
    expect: Expectations | UnsetType = UNSET


class RunForm(Struct, forbid_unknown_fields=True):
    """`cases`: only these; none = all, or all of `suite`."""

    cases: Annotated[list[UUID], Meta(max_length=200)] = []
    suite: UUID | None = None


class RuleForm(Struct, forbid_unknown_fields=True):
    """`suites`: whose tests must pass; none = all tests of the flow."""

    required: bool = False
    suites: Annotated[list[UUID], Meta(max_length=MOST_SUITES)] = []


class NamedForm(Struct, forbid_unknown_fields=True):
    """A suite: what it is called, and which tests are in it."""

    name: SuiteName
    cases: Annotated[list[UUID], Meta(max_length=200)] = []


class SuiteForm(Struct, forbid_unknown_fields=True):
    """Tests from a file, put in the place of those of the same name."""

    cases: Annotated[list[Case], Meta(max_length=200)]


__all__ = ["CaseForm", "Kind", "NamedForm", "RuleForm", "RunForm", "SaveForm", "SuiteForm"]
