"""Tracer: symbolic tracing that keeps chosen modules whole and notes who makes each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.address import matches
from qflow.plan.plan import GraphSpec
from qflow.tracing import operators
from qflow.tracing.arguments import Arguments
from qflow.tracing.inplace import Proxy
from qflow.tracing.own_code import raised_at
from qflow.tracing.trial import MODEL_ERRORS
from qflow.tracing.wrapping import wrapped

OWNER = "qflow.owner"
"""Key in `node.meta`: address of the module whose `forward` made the node."""


class Tracer(fx.Tracer):
    """Follows one model with its inputs as proxies; everything not declared keeps its default."""

    def __init__(self, arguments: Arguments, graph: GraphSpec) -> None:
        # `self.weight.shape` is a constant of the model, no data
        super().__init__(param_shapes_constant=True)
        self._arguments = arguments
        self._leaves = graph.leaves
        self._leaf_types = frozenset(graph.leaf_types)

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Operators, modules of torch itself, and what the `graph` block names."""
        if operators.of_module(m) is not None or super().is_leaf_module(m, module_qualified_name):
            return True
        names = {type(m).__name__, *operators.class_names(type(m))}
        return bool(names & self._leaf_types) or any(
            matches(leaf, module_qualified_name) for leaf in self._leaves
        )

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Any, list[Any]]:
        """Proxies under the declared names; arguments that are not declared keep their defaults."""
        values = {n: self.create_proxy("placeholder", n, (), {}) for n in self._arguments.names}

        # fx takes the return annotation of this function for the model's, so it has none
        def call(root):  # type: ignore[no-untyped-def]
            return self._arguments.call(root_fn, root, values=values)

        return call, [self.root]

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return Proxy(node, self)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        node.meta[OWNER] = self.scope.module_path
        return node


def record(model: nn.Module, arguments: Arguments, graph: GraphSpec) -> fx.Graph:
    """The graph of a model that is known to run. QF314 when its path depends on data."""
    tracer = Tracer(arguments, graph)
    # loads the operators: an error in one of their files is not the model's
    operators.of_module(model)
    with wrapped(graph.wraps, model):
        try:
            return _plain(tracer.trace(model))
        except (*MODEL_ERRORS, fx.proxy.TraceError) as error:
            raise fail(_branches(model, error)) from error


def _plain(graph: fx.Graph) -> fx.Graph:
    """The same graph without its tracer, which unpickling would try to build without arguments."""
    plain = fx.Graph()
    plain.output(plain.graph_copy(graph, {}))
    return plain


def _branches(model: nn.Module, error: BaseException) -> Diagnostic:
    if (place := raised_at(error)) is None:
        return Diagnostic(
            "QF314", f"`{type(model).__name__}` cannot be traced: {error}", help=_HELP
        )
    return Diagnostic(
        "QF314",
        f"`{place.function}` needs the value of a tensor while the model is traced",
        place.span,
        label="decided by data",
        notes=(f"the line reads `{place.line}`", str(error).splitlines()[0]),
        help=_HELP,
    )


_HELP = "compute it without a branch, or keep the function whole with `wrap` in the `graph` block"
