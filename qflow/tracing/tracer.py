"""Tracer: symbolic tracing that keeps chosen modules whole and notes who makes each call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import fx, nn

from qflow.diagnostics import Diagnostic, fail
from qflow.plan.plan import GraphSpec
from qflow.tracing import blocks, float_functional, operators
from qflow.tracing.call import OWNER
from qflow.tracing.given import Given, place
from qflow.tracing.inplace import Proxy
from qflow.tracing.leaves import Leaves
from qflow.tracing.own_code import raised_at
from qflow.tracing.trial import MODEL_ERRORS
from qflow.tracing.wrapping import wrapped


class Tracer(fx.Tracer):
    """Follows one model with its inputs as proxies; everything not declared keeps its default."""

    def __init__(self, given: Given, graph: GraphSpec) -> None:
        # `self.weight.shape` is a constant of the model, no data
        super().__init__(param_shapes_constant=True)
        self._given = given
        self._leaves = Leaves(graph, composites=False)
        self._inside: list[str] = []

    dynamic_block = staticmethod(blocks.dynamic_block)
    """As scripts of the field spell it."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Operators, modules of torch itself, and what the `graph` block or `wrap` names."""
        return self._leaves.has(m, module_qualified_name)

    def create_args_for_root(
        self, root_fn: Callable[..., Any], is_module: bool, concrete_args: Any = None
    ) -> tuple[Any, list[Any]]:
        """Proxies under the declared names; arguments that are not declared keep their defaults."""
        values = place(
            self._given,
            lambda op, target, args: self.create_proxy(op, target, args, {}),
            lambda _, proxy: proxy,
        )

        # fx takes the return annotation of this function for the model's, so it has none
        def call(root):  # type: ignore[no-untyped-def]
            return self._given.call(root_fn, root, values=values)

        return call, [self.root]

    def path_of(self, module: nn.Module) -> str | None:
        """Address of a module; None for one that `forward` made itself."""
        try:
            return self.path_of_module(module)
        except NameError:
            return None

    def scope_path(self) -> str:
        """Address of the module whose `forward` runs."""
        return self._inside[-1] if self._inside else self.scope.module_path

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        self._inside.append(path)
        try:
            yield
        finally:
            self._inside.pop()

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return Proxy(node, self)

    def create_node(self, *args: Any, **kwargs: Any) -> fx.Node:
        node = super().create_node(*args, **kwargs)
        node.meta[OWNER] = self.scope_path()
        blocks.mark(node)
        return node


def record(model: nn.Module, given: Given, graph: GraphSpec) -> fx.Graph:
    """The graph of a model that is known to run. QF314 when its path depends on data."""
    tracer = Tracer(given, graph)
    # loads the operators: an error in one of their files is not the model's
    operators.of_module(model)
    with (
        blocks.traced(tracer),
        wrapped(graph.wraps, model),
        float_functional.followed(model),
    ):
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


_HELP = (
    "compute it without a branch, keep the function whole with `wrap` in the `graph` block, or "
    "follow an example with `trace = example` in the `model` block"
)
