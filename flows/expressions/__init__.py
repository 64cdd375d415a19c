"""Expressions in settings: CEL, and text with holes `{{ cel }}`. No Python text is ever run.

Plain paths such as `order.items[0].name` are read directly; everything else is CEL by the `cel` package (Rust).
programs.py compiles and evaluates, limits.py refuses what could grow without end, bind.py fills settings.
"""

from flows.expressions.bind import binder, fixed
from flows.expressions.programs import ExpressionError, Program, expression, template, written

__all__ = ["ExpressionError", "Program", "binder", "expression", "fixed", "template", "written"]
