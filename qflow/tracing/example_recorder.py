"""example_recorder: the graph that grows while a model runs, and which node each tensor is."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, fx, nn

from qflow.diagnostics import Diagnostic
from qflow.tracing import blocks
from qflow.tracing.call import OWNER
from qflow.tracing.digests import digest_of
from qflow.tracing.example_numbers import Followed, followed
from qflow.tracing.own_code import running_at
from qflow.tracing.wholes import Wholes

DIGEST = "qflow.digest"
"""Key in `node.meta`: digest of what the node was while the model ran."""


class Recorder:
    """Tensors are the model's own: the recorder knows them by identity, and keeps them alive."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model
        self.graph = fx.Graph()
        self.notes: dict[tuple[str, int, str], Diagnostic] = {}
        self.owners: list[str] = [""]
        self.live = True
        self.written_out = False
        """Whether a function was replaced by those it is made of."""
        self.unseen = False
        """Whether a tensor turned up that nobody saw being made."""
        self.wholes = Wholes()
        self._nodes: dict[int, tuple[Any, fx.Node]] = {}
        self._paths = {id(m): name for name, m in model.named_modules()}
        self._known = _tensors_of(model)
        self._constants: dict[int, tuple[Tensor, fx.Node]] = {}
        self._varying: set[fx.Node] = set()
        self._sized: set[fx.Node] = set()
        self._stale: set[int] = set()
        self._decided: set[fx.Node] = set()
        self._acting: set[fx.Node] = set()
        self._lengths: dict[fx.Node, Diagnostic] = {}

    # --- who runs ---------------------------------------------------------------------------------

    def path_of(self, module: nn.Module) -> str | None:
        """Address of a module; None for one that `forward` made itself."""
        return self._paths.get(id(module))

    def scope_path(self) -> str:
        """Address of the module whose `forward` runs."""
        return self.owners[-1]

    @contextmanager
    def inside(self, path: str) -> Iterator[None]:
        self.owners.append(path)
        try:
            yield
        finally:
            self.owners.pop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Nothing is recorded: what runs is one node."""
        before, self.live = self.live, False
        try:
            with _unseen():
                yield
        finally:
            self.live = before

    # --- nodes ------------------------------------------------------------------------------------

    def node(self, op: str, target: Any, args: tuple[Any, ...] = (), kwargs: Any = None) -> fx.Node:
        """A node whose arguments are nodes already."""
        made = self.graph.create_node(op, target, args, kwargs or {})
        made.meta[OWNER] = self.scope_path()
        blocks.mark(made)
        return made

    def record(
        self,
        op: str,
        target: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        run: Callable[[], Any],
        sized: bool = False,
        whole: bool = False,
    ) -> Any:
        """Run a call and put it into the graph, unless no tensor goes in or comes out.

        `whole`: a call that was wrapped, so what it takes and returns stays as it is.
        """
        with _unseen():
            inputs = list(_tensors(args, kwargs))
            versions = [x._version for x in inputs]
            given = self.wholes.put((args, dict(kwargs))) if whole else (args, dict(kwargs))
            mapped = self.argument(given[0]), self.argument(given[1])
        result = run()
        with _unseen():
            changed = [x for x, v in zip(inputs, versions, strict=True) if x._version != v]
            if not changed and not any(True for _ in _tensors((result,), {})):
                return self._plain(op, target, mapped, result, inputs)
            made = self.node(op, target, *mapped)
            self._inherit(made, sized)
            kept = {id(x) for x in changed}
            fresh = self.known(result, made, {id(x) for x in inputs} - kept)
            for x in changed:
                self._nodes[id(x)] = (x, made)
                self._overwritten(x)
            made.meta[DIGEST] = digest_of(fresh)
            if whole:
                self.wholes.keep(fresh, made)
            if changed or op == "call_module":
                self._acting.add(made)
            return fresh

    def _plain(
        self, op: str, target: Any, mapped: tuple[Any, Any], result: Any, inputs: list[Tensor]
    ) -> Any:
        """What was read of a tensor and is no tensor, or has nothing to do with any."""
        followable = isinstance(result, (int, float, torch.Size, torch.device))
        if not followable or isinstance(result, bool) or not inputs:
            return result
        made = self.node(op, target, *mapped)
        self._inherit(made, sized=False)
        if made in self._sized and (note := self._decision("the number of values found")):
            self._lengths[made] = note
        return self.known(result, made, set())

    def _inherit(self, made: fx.Node, sized: bool) -> None:
        sources = made.all_input_nodes
        if any(s in self._varying for s in sources):
            self._varying.add(made)
        if sized or any(s in self._sized for s in sources):
            self._sized.add(made)

    def number(self, function: Callable[..., Any], args: tuple[Any, ...], value: Any) -> Any:
        """Arithmetic on sizes."""
        if not self.live:
            return value
        return self._number(self.node("call_function", function, self.argument(args)), value)

    def _number(self, node: fx.Node, value: Any) -> Any:
        self._inherit(node, sized=False)
        return followed(value, node, self)

    def _size(self, node: fx.Node, shape: torch.Size) -> torch.Size:
        """A shape whose sizes are followed."""
        pick = operator.getitem
        return torch.Size(
            self._number(self.node("call_function", pick, (node, i)), n)
            for i, n in enumerate(shape)
        )

    def _overwritten(self, x: Tensor) -> None:
        """Other tensors over the same memory hold other values now than their nodes say."""
        storage = x.untyped_storage().data_ptr()
        for key, (other, _) in self._nodes.items():
            shares = isinstance(other, Tensor) and key != id(x)
            if shares and other.untyped_storage().data_ptr() == storage:
                self._stale.add(key)
        self._stale.discard(id(x))

    # --- values -----------------------------------------------------------------------------------

    def known(self, value: Any, node: fx.Node, inputs: set[int]) -> Any:
        """Note which node a result is. A tensor that was an input of the call is given anew.

        So `y = x.contiguous()` and `x` are two nodes even where they are one tensor.
        """
        if isinstance(value, Tensor):
            if id(value) in inputs:
                value = value.detach()
            self._nodes[id(value)] = (value, node)
            return value
        if isinstance(value, torch.Size):
            return self._size(node, value)
        if isinstance(value, Mapping):
            parts = {k: self._part(v, node, k, inputs) for k, v in value.items()}
            same = all(parts[k] is v for k, v in value.items())
            return value if same else parts
        if isinstance(value, (tuple, list)):
            items = [self._part(v, node, i, inputs) for i, v in enumerate(value)]
            if all(a is b for a, b in zip(items, value, strict=True)):
                return value
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        if isinstance(value, torch.device):
            self._nodes[id(value)] = (value, node)
            return value
        return followed(value, node, self)

    def _part(self, value: Any, node: fx.Node, key: Any, inputs: set[int]) -> Any:
        if value is None or isinstance(value, (bool, str)):
            return value
        pick = self.node("call_function", operator.getitem, (node, key))
        self._inherit(pick, sized=False)
        return self.known(value, pick, inputs)

    def given(self, value: Tensor, node: fx.Node) -> Tensor:
        """An input: a tensor of its own, so that one tensor given twice is two inputs."""
        fresh = value.detach()
        self._varying.add(node)
        self._nodes[id(fresh)] = (fresh, node)
        node.meta[DIGEST] = digest_of(fresh)
        return fresh

    def argument(self, value: Any) -> Any:
        """A value as the graph holds it: nodes for tensors and sizes, data for the rest."""
        if isinstance(value, Tensor):
            return self._of_tensor(value)
        if isinstance(value, Followed):
            return value.node
        if isinstance(value, torch.device):
            return self._nodes[id(value)][1] if id(value) in self._nodes else value
        if isinstance(value, nn.Module) and (path := self.path_of(value)):
            return self.node("get_attr", path)
        if isinstance(value, Mapping):
            return {k: self.argument(v) for k, v in value.items()}
        if isinstance(value, slice):
            return slice(*map(self.argument, (value.start, value.stop, value.step)))
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.argument, value))
        if isinstance(value, (tuple, list)):
            kind = tuple if isinstance(value, tuple) else list
            return kind(map(self.argument, value))
        return _data(value)

    def _of_tensor(self, value: Tensor) -> fx.Node:
        if id(value) in self._nodes:
            if id(value) in self._stale and (place := running_at()):
                text = "a tensor is read that was overwritten through another view of its memory"
                advice = "overwrite the tensor itself, or a copy of it"
                self._note("QF227", place.span, place.line, text, advice)
            return self._nodes[id(value)][1]
        if id(value) in self._constants:
            return self._constants[id(value)][1]
        known = self._known.get(id(value))
        path = self._kept(value) if known is None else known[1]
        node = self.node("get_attr", path)
        if not path.startswith(_CONSTANT):
            self._varying.add(node)
        self._constants[id(value)] = (value, node)
        return node

    def _kept(self, value: Tensor) -> str:
        """A tensor of unknown origin becomes a buffer of the model, as fx does it."""
        path = f"{_CONSTANT}{sum(1 for n in vars(self.model) if n.startswith(_CONSTANT))}"
        object.__setattr__(self.model, path, value.detach().clone())
        if place := running_at():
            text = "a tensor that was made where the trace does not see it stays as it is"
            self._note("QF227", place.span, place.line, text, "make it with functions of torch")
        self.unseen = True
        return path

    # --- notes ------------------------------------------------------------------------------------

    def decides(self, value: Tensor, what: str) -> None:
        """Python was given the value of a tensor, so what follows is as on this example."""
        node = self.argument(value)
        self._decided.add(node)
        if node in self._varying and (note := self._decision(what)):
            self._add(note)

    def counts(self, value: Tensor) -> None:
        """Python walks along a tensor."""
        if self.argument(value) in self._sized and (note := self._decision("how many there are")):
            self._add(note)

    def finished(self) -> tuple[Diagnostic, ...]:
        """Notes of the whole trace; what no node reads is taken out of the graph."""
        for node in reversed(list(self.graph.nodes)):
            if node.users or node.op in ("placeholder", "output"):
                continue
            if DIGEST in node.meta:
                if node not in self._decided or node in self._acting:
                    continue
                # what was asked for to decide, and for nothing else
                self._decided.update(node.all_input_nodes)
            # nothing of the graph reads the number, so Python did
            if note := self._lengths.get(node):
                self._add(note)
            self.graph.erase_node(node)
        self.live = False
        return tuple(self.notes.values())

    def _decision(self, what: str) -> Diagnostic | None:
        if (place := running_at()) is None:
            return None
        return Diagnostic(
            "QF226",
            f"`{place.function}` needs {what}, and the trace goes the way of the example",
            place.span,
            label="decided by data",
            notes=(f"the line reads `{place.line}`",),
            help="compute it without a branch, or keep the function whole with `wrap`",
            severity="warning",
        )

    def _note(self, code: str, span: Any, line: str, text: str, advice: str) -> None:
        notes = (f"the line reads `{line}`",)
        self._add(Diagnostic(code, text, span, notes=notes, help=advice, severity="warning"))

    def _add(self, note: Diagnostic) -> None:
        assert note.at is not None
        self.notes.setdefault((note.at.path, note.at.line, note.code), note)


_CONSTANT = "_tensor_constant"
_unseen = torch._C.DisableTorchFunction
"""What the recorder itself does with tensors is no part of the model."""


def _tensors_of(model: nn.Module) -> dict[int, tuple[Tensor, str]]:
    """Parameters, buffers and plain tensor attributes by identity; of tied ones the first name."""
    found: dict[int, tuple[Tensor, str]] = {}
    for path, module in model.named_modules():
        own = {**module._parameters, **module._buffers, **vars(module)}
        for name, value in own.items():
            if isinstance(value, Tensor):
                found.setdefault(id(value), (value, f"{path}.{name}" if path else name))
    return found


def _tensors(args: Any, kwargs: Mapping[str, Any]) -> Iterator[Tensor]:
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, Mapping):
            yield from _tensors(value.values(), {})
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value, {})


def _data(value: Any) -> Any:
    """Numbers of other packages as those of Python, which code can be written with."""
    if isinstance(value, float) and type(value) is not float:
        return float(value)
    if isinstance(value, int) and type(value).__module__ == "numpy":
        return int(value)
    return value.item() if type(value).__module__ == "numpy" and hasattr(value, "item") else value
