"""The `sandbox` capability of a step: flows.host, with what the operator allows."""

from app import config
from flows.host.sandbox import StepSandbox
from flows.sdk.context import Context


def sandbox_for(ctx: Context) -> StepSandbox:
    return StepSandbox(ctx, lambda: config.settings().full_python)
