"""What people and programs send about datasets and matrices."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from app.checks.dataset_reading import MOST_BYTES, MOST_ROWS, Row
from app.checks.shapes import MOST_CHECKS, Expectation

Name = Annotated[str, Meta(min_length=1, max_length=120, title="Name")]
MOST_VARIANTS = 24
MOST_TRIALS = 5_000


class UploadForm(Struct, forbid_unknown_fields=True):
    """A dataset from a file's text. `form`: how it is written."""

    name: Name
    content: Annotated[str, Meta(min_length=1, max_length=MOST_BYTES)]
    form: Literal["csv", "jsonl"] = "csv"


class RowsForm(Struct, forbid_unknown_fields=True):
    name: Name
    rows: Annotated[list[Row], Meta(min_length=1, max_length=MOST_ROWS)]


class FromRunsForm(Struct, forbid_unknown_fields=True):
    """The last runs of this flow that ended well: their inputs, and what came out as what is expected.

    `rating`: only those that somebody rated so ("any" = at all), tries of the draft included; what came out of a run
    that somebody rated bad is not expected. `days`: not older than that, 0 = any age.
    """

    name: Name
    count: Annotated[int, Meta(ge=1, le=200, title="How many runs")] = 50
    expected: bool = True
    rating: Literal["", "good", "bad", "any"] = ""
    days: Annotated[int, Meta(ge=0, le=3650)] = 0


class Prompt(Struct, forbid_unknown_fields=True):
    """Another text in one setting of one step. `name`: what this variant is called."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    step: Annotated[str, Meta(min_length=1, max_length=64)]
    field: Annotated[str, Meta(min_length=1, max_length=80)]
    text: Annotated[str, Meta(max_length=50_000)]


class MatrixForm(Struct, forbid_unknown_fields=True):
    """Every prompt with every model with every version, over all rows of a dataset.

    `versions`: ids of published ones, "draft" = the draft; `models`: "" = as in the flow; `prompts`: beside
    the flow's own, which always takes part. `expect`: where a value says {{ expected }}, the row's is meant.
    `for_real`: steps that act outside (calls, mails) really do so, once for each row and variant. `most`: US dollars
    after which it stops by itself.
    """

    versions: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=8)] = field(
        default_factory=lambda: ["draft"]
    )
    models: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(min_length=1, max_length=8)] = field(
        default_factory=lambda: [""]
    )
    prompts: Annotated[list[Prompt], Meta(max_length=8)] = []
    expect: Annotated[list[Expectation], Meta(max_length=MOST_CHECKS)] = []
    for_real: bool = False
    most: Annotated[float, Meta(gt=0, le=10_000, title="Most it may cost, in US dollars")] = 5.0


class DatasetId(Struct, frozen=True):
    id: UUID
