"""What people and programs send about tests."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.checks.shapes import MOST_CHECKS, Case, Expectation, Kind

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
    """`cases`: only these; none = all."""

    cases: Annotated[list[UUID], Meta(max_length=200)] = []


class RuleForm(Struct, forbid_unknown_fields=True):
    required: bool = False


class SuiteForm(Struct, forbid_unknown_fields=True):
    """Tests from a file, put in the place of those of the same name."""

    cases: Annotated[list[Case], Meta(max_length=200)]


__all__ = ["CaseForm", "Kind", "RuleForm", "RunForm", "SaveForm", "SuiteForm"]
