"""wrap in its four forms: what stays one call, what is seen inside it, and what runs."""

import copy

import pytest
import torch
from torch import Tensor, nn

from qflow.diagnostics import QflowError
from qflow.plan import fusion
from qflow.tracing import Traced, trace_call, wrap
from qflow.tracing.call import calls_of
from tests.tracing.models import image, with_statistics
from tests.tracing.wrapped_models import Detector, Functions, OwnMethod, PostProcess, UsesWhole

METHODS = ("symbolic", "example")


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return request.param


def traced(model: nn.Module, method: str, stubs: bool = False) -> Traced:
    return trace_call(model.eval(), (image(),), method=method, stubs=stubs)


def test_functions_and_names(method: str) -> None:
    found = traced(Functions(), method)
    assert [m.address for m in found.inventory.modules][1:-1] == [
        "_generated_clipped_0",
        "_generated_halved_0",
        "_generated_add_0",
        "_generated_through_numpy_0",
        "_generated_add_1",
        "_generated_reshape_0",
    ]
    assert not found.notes
    for x in (image(3), -image(3, seed=9).abs(), image(4).abs()):
        assert torch.equal(found.module(x), Functions()(x))


def test_a_wrapped_method_runs_as_it_was_written(method: str) -> None:
    model = with_statistics(Detector())
    found = traced(model, method)
    module = copy.deepcopy(found.module)
    for x in (image(3), 100 * image(2), -100 * image(2)):
        with torch.no_grad():
            assert torch.equal(module(x), model(x))
    assert "post._generated_decode_0" in found.inventory.by_address
    # the branch that the trace did not see is alive
    module.train()
    assert module(image()).shape == (1, 1)
    assert module.eval()(image()).shape == (2, 4, 8, 8)
    assert {"post.refine.weight", "post.loss_head.weight", "post.offset"} <= set(
        module.state_dict()
    )


def test_modules_inside_a_wrapped_method_are_seen(method: str) -> None:
    inventory = traced(Detector(), method).inventory
    refine = inventory.by_address["post.refine"]
    assert (refine.op, refine.shape, refine.detail, refine.calls) == (
        "conv2d",
        (2, 4, 8, 8),
        "4->4 k1",
        1,
    )
    assert inventory.sources["post.refine"] == ("post._generated_add_0",)
    assert inventory.sources["post.act"] == ("post.refine",)
    assert inventory.sources["post._generated_decode_0"] == ("post.act",)
    assert inventory.sources["dequant"] == ("post._generated_decode_0",)
    assert "post.loss_head" not in inventory.by_address


def test_a_wrapped_method_calls_what_was_put_in_place(method: str) -> None:
    found = traced(with_statistics(Detector()), method)
    module = copy.deepcopy(found.module)
    module.post.refine = nn.Identity()
    x = module.conv(image()) + 1
    assert torch.equal(module(image()), (x.relu() + module.post.offset) * 3)


def test_the_calls_inside_can_be_reached_from_their_node(method: str) -> None:
    graph = traced(Detector(), method).module.graph
    node = next(n for n in graph.nodes if str(n.target).endswith("decode_0"))
    assert [c.address for c in calls_of(node)] == [
        "post.refine",
        "post.act",
        "post._generated_decode_0",
    ]


def test_nothing_inside_a_wrapped_method_is_fused(method: str) -> None:
    inventory = traced(OwnMethod(), method).inventory
    assert inventory.sources["head.1"] == ("head.0",)
    assert fusion.find(inventory, ("int8",), lambda _: "int8") == ()


def test_a_method_of_the_model_itself(method: str) -> None:
    model = OwnMethod()
    found = traced(model, method)
    module = copy.deepcopy(found.module)
    with torch.no_grad():
        assert torch.equal(module(image(3)), model(image(3)))
        module.head[0] = nn.Identity()
        assert torch.equal(module(image()), model.conv(image()).relu() * 2)
        assert torch.equal(module.train()(image()), -model.conv(image()).relu())
    assert found.inventory.sources["dequant"] == ("head.1",)
    assert found.inventory.sources["output.output"] == ("_generated_finish_0",)
    # the stub inside is a stub of the model: none are added
    assert traced(model, method, stubs=True).notes == ()


def test_what_a_method_keeps_on_itself_is_there_at_the_next_call() -> None:
    found = traced(Detector(), "example")
    call = found.module.get_submodule("post._generated_decode_0").function
    before = call._plain["calls"]
    found.module(image())
    found.module(image())
    assert call._plain["calls"] == before + 2


def test_a_wrapped_class_is_a_leaf_with_leaf_methods(method: str) -> None:
    model = UsesWhole()
    found = traced(model, method)
    by_address = found.inventory.by_address
    assert by_address["whole"].type == "Whole"
    assert by_address["whole._generated_prepare_0"].op == "unknown"
    for x in (image(), image().abs(), -image().abs()):
        with torch.no_grad():
            assert torch.equal(found.module(x), model(x))
    x = image().abs()
    inside = trace_call(model.eval(), (x,), method=method, stubs=False).inventory
    assert inside.by_address["whole.conv"].calls == 2


def test_wrapping_changes_nothing_outside_of_a_trace() -> None:
    post = PostProcess().eval()
    x = torch.ones(1, 4, 2, 2)
    assert torch.equal(post.decode(x), type(post).decode.__wrapped__(post, x))
    assert PostProcess.decode.__name__ == "decode"


def test_every_spelling_gives_the_same() -> None:
    def double(x: Tensor) -> Tensor:
        return x + x if x.sum() > 0 else 2 * x

    for made in (
        wrap(double),
        wrap()(double),
        wrap(skip_compile=True)(double),
        wrap(False)(double),
    ):

        class Doubles(nn.Module):
            def forward(self, x: Tensor, double=made) -> Tensor:
                return double(x)

        assert "_generated_double_0" in traced(Doubles(), "example").inventory.by_address


@pytest.mark.parametrize("wrong", [3, int, None])
def test_what_cannot_be_wrapped(wrong: object) -> None:
    with pytest.raises(QflowError, match="QF312"):
        wrap()(wrong)


def test_a_name_that_is_no_function_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    from qflow.tracing import wrapping

    monkeypatch.setattr(wrapping, "_NAMED", [])
    assert wrap("no_such_function") == "no_such_function"
    with pytest.raises(QflowError, match="`no_such_function` is no function of `tests"):
        traced(UsesWhole(), "example")
