"""Who serves models, and what a connection needs to reach them. Data, for the connections page and for routing."""

from typing import Literal

from msgspec import Struct

Lane = Literal["direct", "litellm"]
"""direct: OpenAI's wire format, spoken by our own client in any process. litellm: everything else, in workers only."""


class Field(Struct, frozen=True):
    """One more thing this provider asks for, beside key and address. Kept in the connection's `options`, not secret."""

    name: str
    title: str
    example: str = ""
    required: bool = True


class Provider(Struct, frozen=True):
    """`asks_url`: the person may change `base_url`. `family`: the name in litellm's price list and model ids."""

    id: str
    title: str
    note: str
    lane: Lane = "direct"
    base_url: str = ""
    asks_url: bool = False
    key: Literal["needed", "optional", "none"] = "needed"
    key_page: str = ""
    family: str = ""
    fields: tuple[Field, ...] = ()
    free: bool = False

    @property
    def initial(self) -> str:
        return self.title[0].upper()


LOCAL = "local"
LOCAL_MODEL = "smollm2-135m-instruct"
LOCAL_EMBEDDING = "minilm-l6-v2"

_ALL = (
    Provider(
        LOCAL,
        "This machine",
        "Small demo model, runs on this machine",
        key="none",
        free=True,
    ),
    Provider(
        "openai",
        "OpenAI",
        "GPT models and embeddings",
        base_url="https://api.openai.com/v1",
        key_page="platform.openai.com/api-keys",
        family="openai",
    ),
    Provider(
        "anthropic",
        "Anthropic",
        "Claude models",
        lane="litellm",
        key_page="console.anthropic.com/settings/keys",
        family="anthropic",
    ),
    Provider(
        "gemini",
        "Google Gemini",
        "Gemini models",
        lane="litellm",
        key_page="aistudio.google.com/apikey",
        family="gemini",
    ),
    Provider(
        "mistral",
        "Mistral",
        "Models in the EU",
        base_url="https://api.mistral.ai/v1",
        key_page="console.mistral.ai/api-keys",
        family="mistral",
    ),
    Provider(
        "openrouter",
        "OpenRouter",
        "Many vendors with one key",
        base_url="https://openrouter.ai/api/v1",
        key_page="openrouter.ai/keys",
        family="openrouter",
    ),
    Provider(
        "groq",
        "Groq",
        "Open models, very fast",
        base_url="https://api.groq.com/openai/v1",
        key_page="console.groq.com/keys",
        family="groq",
    ),
    Provider(
        "deepseek",
        "DeepSeek",
        "DeepSeek models",
        base_url="https://api.deepseek.com/v1",
        key_page="platform.deepseek.com/api_keys",
        family="deepseek",
    ),
    Provider(
        "together",
        "Together AI",
        "Open models",
        base_url="https://api.together.xyz/v1",
        key_page="api.together.ai/settings/api-keys",
        family="together_ai",
    ),
    Provider("xai", "xAI", "Grok models", base_url="https://api.x.ai/v1", key_page="console.x.ai", family="xai"),
    Provider(
        "azure",
        "Azure OpenAI",
        "OpenAI models in your Azure account",
        lane="litellm",
        asks_url=True,
        family="azure",
        fields=(
            Field("api_version", "API version", "2024-10-21"),
            Field("models", "Deployments", "my-gpt, my-embedding"),
        ),
    ),
    Provider(
        "bedrock",
        "Amazon Bedrock",
        "Models in your AWS account; the key is the secret access key",
        lane="litellm",
        family="bedrock",
        fields=(
            Field("aws_access_key_id", "Access key id", "AKIA…"),
            Field("aws_region_name", "Region", "eu-central-1"),
        ),
    ),
    Provider(
        "cohere", "Cohere", "Command and Embed models", lane="litellm", key_page="dashboard.cohere.com", family="cohere"
    ),
    Provider(
        "ollama",
        "Ollama",
        "Models on a machine of yours",
        base_url="http://127.0.0.1:11434/v1",
        asks_url=True,
        key="optional",
        free=True,
    ),
    Provider(
        "vllm",
        "vLLM",
        "Your own model server",
        base_url="http://127.0.0.1:8000/v1",
        asks_url=True,
        key="optional",
        free=True,
    ),
    Provider(
        "llamacpp",
        "llama.cpp",
        "Your own model server",
        base_url="http://127.0.0.1:8080/v1",
        asks_url=True,
        key="optional",
        free=True,
    ),
    Provider(
        "compatible", "OpenAI-compatible", "Any other server that speaks this format", asks_url=True, key="optional"
    ),
    Provider(
        "other",
        "Another vendor",
        "Any vendor LiteLLM knows, by its name there",
        lane="litellm",
        key="optional",
        fields=(
            Field("vendor", "Vendor name in LiteLLM", "fireworks_ai"),
            Field("api_base", "Address", "https://…", required=False),
        ),
    ),
)

PROVIDERS: dict[str, Provider] = {provider.id: provider for provider in _ALL}


def family_of(provider: Provider, options: dict[str, str]) -> str:
    """The vendor's name in litellm: fixed for a known provider, typed by the person for "other"."""
    return options.get("vendor", "") or provider.family
