"""readers: which nodes of a graph run which fake-quantizers, seen while it runs.

Seen and not looked up: members of a scale group pass through the fake-quantizer of another address,
and a wrapped function may hold many; whatever calls one is found.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import fx

    from qflow.quantization.fake_quantize import FakeQuantize


@dataclass
class Watch:
    """Notes, per fake-quantizer, the nodes in which it ran."""

    readers: dict[FakeQuantize, dict[fx.Node, None]] = field(default_factory=dict)
    """In execution order."""
    ends: set[tuple[fx.Node, FakeQuantize]] = field(default_factory=set)
    """Nodes whose value is what the fake-quantizer returned: nothing comes behind it."""
    _node: fx.Node | None = None
    _returned: list[tuple[FakeQuantize, Any]] = field(default_factory=list)

    @contextmanager
    def on(self, quantizers: tuple[FakeQuantize, ...]) -> Iterator[None]:
        """Watch these while the block runs."""
        handles = [q.register_forward_hook(self._note) for q in quantizers]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def at(self, node: fx.Node) -> Iterator[None]:
        """What runs in the block belongs to this node."""
        self._node, self._returned = node, []
        try:
            yield
        finally:
            self._node = None

    def ended(self, node: fx.Node, value: Any) -> None:
        """Say what the node gave."""
        ran = [q for q, _ in self._returned]
        for quantizer, returned in self._returned:
            if returned is value and ran.count(quantizer) == 1:
                self.ends.add((node, quantizer))

    def _note(self, quantizer: FakeQuantize, _: Any, returned: Any) -> None:
        if self._node is not None:
            self.readers.setdefault(quantizer, {})[self._node] = None
            self._returned.append((quantizer, returned))
