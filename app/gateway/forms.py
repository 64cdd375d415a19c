"""What comes in from people and API callers, with limits."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from app.gateway.providers import PROVIDERS

Short = Annotated[str, Meta(max_length=80)]
Line = Annotated[str, Meta(max_length=500)]
Key = Annotated[str, Meta(max_length=8_000)]
ModelId = Annotated[str, Meta(max_length=240)]
Scope = Literal["workspace", "flow", "run", "visitor"]
Period = Literal["day", "month", "total"]


class _Reached(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Key, address and what else a provider may ask for."""

    key: Key = ""
    base_url: Line = ""
    api_version: Short = ""
    models: Line = ""
    aws_access_key_id: Short = ""
    aws_region_name: Short = ""
    vendor: Short = ""
    api_base: Line = ""


class ConnectForm(_Reached, frozen=True, forbid_unknown_fields=True):
    """A new connection. Which fields count depends on the provider: providers.py. No name means the provider's."""

    provider: Annotated[str, Meta(min_length=1, max_length=40)]
    name: Short = ""

    def options(self) -> dict[str, str]:
        """What the provider asks for beside key and address."""
        provider = PROVIDERS.get(self.provider)
        wanted = [field.name for field in provider.fields] if provider else []
        return {name: value for name in wanted if (value := str(getattr(self, name)).strip())}


class ChangeForm(_Reached, frozen=True, forbid_unknown_fields=True):
    """An empty key keeps the one that is there. `provider` changes nothing: by it the page shows the form again."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    provider: Short = ""


class DefaultForm(Struct, frozen=True, forbid_unknown_fields=True):
    """ "" = no choice of our own: the bundled model as long as it runs."""

    model: ModelId = ""
    embedding_model: ModelId | None = None


class FallbackForm(Struct, frozen=True, forbid_unknown_fields=True):
    model: Annotated[str, Meta(min_length=3, max_length=240)]


class PlaceForm(Struct, frozen=True, forbid_unknown_fields=True):
    """0 = first. A place past the end means the end."""

    model: Annotated[str, Meta(min_length=3, max_length=240)]
    place: Annotated[int, Meta(ge=0, le=100)]


class OrderForm(Struct, frozen=True, forbid_unknown_fields=True):
    """All fallbacks, in the order they are asked."""

    models: Annotated[list[Annotated[str, Meta(min_length=3, max_length=240)]], Meta(max_length=20)]


class BudgetForm(Struct, frozen=True, forbid_unknown_fields=True):
    """`limit`: US dollars. `subject` "" = each flow, run or visitor has this limit of its own."""

    scope: Scope
    limit: Annotated[float, Meta(ge=0, le=10_000_000)]
    period: Period = "month"
    subject: Annotated[str, Meta(max_length=200)] = ""
