"""scikit-learn's decorators of `fit`, with the types that they lack: what they decorate keeps its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["fit_context", "with_callbacks"]

if TYPE_CHECKING:
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[_Method], _Method]:
        """See sklearn.base._fit_context."""

    def with_callbacks(method: _Method) -> _Method:
        """See sklearn.callback.with_callbacks."""
else:
    from sklearn.base import _fit_context as fit_context
    from sklearn.callback import with_callbacks
