"""Errors as the host shows them to people."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ..musedance_core.errors import InputError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class NodeError(ValueError):
    """One sentence for the user.

    The host puts an exception's module and class before its message. This one has the name of a
    builtin, so that the sentence follows "MuseDance: " and nothing else.
    """

    __module__ = "builtins"
    __qualname__ = "MuseDance"


def readable_errors(execute: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """A node's `execute` whose `InputError` reaches the host as a `NodeError`."""

    @wraps(execute)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        try:
            return execute(*args, **kwargs)
        except InputError as error:
            raise NodeError(str(error)) from error

    return run
