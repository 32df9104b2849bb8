"""A result that nobody else holds is rounded in its place; one that anybody could see is not."""

from collections.abc import Callable
from sys import getrefcount

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from qflow.quantization import FakeQuantize
from qflow.quantization.observers.fixed import Fixed
from qflow.quantization.quantized import quantized
from qflow.quantization.rounding import ROUNDINGS, fake_quantize
from qflow.quantization.unshared import SMALLEST, unshared

SIDE = 64
STEP = 0.25
HELD: list[object] = []


def image() -> Tensor:
    return torch.randn(2, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def alone(make: Callable[[], Tensor]) -> bool:
    y = make()
    references = getrefcount(y)
    return unshared(y, references)


def held(y: Tensor, *others: object) -> Tensor:
    HELD.extend(others or (y,))
    return y


@pytest.fixture(autouse=True)
def _let_go():
    yield
    HELD.clear()


def part_of(whole: Tensor) -> Tensor:
    return held(whole[:1], whole)


def beside(whole: Tensor) -> Tensor:
    return held(whole[:1], whole[1:])


ALONE: dict[str, Callable[[], Tensor]] = {
    "new": lambda: image() * 2,
    "turned": lambda: image().transpose(1, 2),
    "linear": lambda: nn.functional.linear(image(), torch.ones(SIDE, SIDE), torch.ones(SIDE)),
    "channels-last": lambda: image()[None].contiguous(memory_format=torch.channels_last),
}
SEEN: dict[str, Callable[[], Tensor]] = {
    "held": lambda: held(image()),
    "part of a tensor that is held": lambda: part_of(image()),
    "beside a part that is held": lambda: beside(image()),
    "held without its gradients": lambda: held(y := image(), y.detach()),
    "held by NumPy": lambda: held(y := image(), y.numpy()),
    "of NumPy": lambda: torch.from_numpy(np.ones(SMALLEST, np.float32)),
    "of bytes": lambda: torch.frombuffer(bytearray(4 * SMALLEST), dtype=torch.float32),
    "one number for all": lambda: torch.ones(1).expand(SMALLEST),
    "windows": lambda: torch.ones(2 * SMALLEST).unfold(0, 8, 2),
    "a parameter": lambda: nn.Parameter(image()),
    "small": lambda: torch.ones(SMALLEST - 1),
}


@torch.no_grad()
@pytest.mark.parametrize("name", ALONE)
def test_results_that_nobody_else_holds(name: str) -> None:
    assert alone(ALONE[name])


@torch.no_grad()
@pytest.mark.parametrize("name", SEEN)
def test_results_that_somebody_could_see(name: str) -> None:
    assert not alone(SEEN[name])


def test_gradients_and_inference_mode() -> None:
    assert not alone(image)

    def leaves_a_graph() -> Tensor:
        with torch.enable_grad():
            return image() * torch.ones(1, requires_grad=True)

    def saved_for_a_gradient() -> Tensor:
        with torch.enable_grad():
            y = image()
            HELD.append(y * torch.ones(1, requires_grad=True))
            return y

    def of_inference_mode() -> Tensor:
        with torch.inference_mode():
            return image()

    with torch.no_grad():
        assert not alone(leaves_a_graph)
        assert not alone(saved_for_a_gradient)
        assert not alone(of_inference_mode)
    with torch.inference_mode():
        assert alone(image)


class Keeps(nn.Module):
    """Returns, or keeps, what the next forward must find unchanged."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way = way
        self.register_buffer("known", image())
        self.array = image().numpy()
        self.last: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        if self.way == "input":
            return x
        if self.way == "view of the input":
            return x.flatten(1)
        if self.way == "buffer":
            return self.known
        if self.way == "view of a buffer":
            return self.known.flatten(1)
        if self.way == "array":
            return torch.from_numpy(self.array)
        y = x + 1
        if self.way == "kept":
            self.last = y
        if self.way == "kept view":
            self.last = y[:1]
        return y


WAYS = ("new", "input", "view of the input", "buffer", "view of a buffer", "array", "kept")


def rounding() -> FakeQuantize:
    made = FakeQuantize(Fixed(STEP)).eval()
    made.quantizing = True
    return made


def with_grid(module: nn.Module) -> nn.Module:
    quantizer = rounding()
    return quantized(module, output=quantizer, passes=quantizer)


@torch.no_grad()
@pytest.mark.parametrize("way", [*WAYS, "kept view"])
def test_nothing_but_the_result_changes(way: str) -> None:
    module = with_grid(Keeps(way))
    x = image()
    plain = Keeps(way)(x)
    wanted = fake_quantize(plain, torch.tensor([STEP]), -128, 127, ROUNDINGS["half_even"])
    for _ in range(2):
        assert torch.equal(module(x), wanted)
        assert torch.equal(x, image())
        assert torch.equal(module.known, image())
        assert np.array_equal(module.array, image().numpy())
        if module.last is not None:
            assert torch.equal(module.last, plain[: len(module.last)])


@torch.no_grad()
def test_a_new_result_is_rounded_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    module, places = with_grid(Keeps("new")), []

    def noting(x: Tensor, *args: object) -> Tensor:
        places.append(x.data_ptr())
        return fake_quantize(x, *args)

    monkeypatch.setattr("qflow.quantization.fake_quantize.fake_quantize", noting)
    y = module(image())
    assert places == [y.data_ptr()]


@torch.no_grad()
@pytest.mark.parametrize("everywhere", [False, True])
def test_hooks_of_a_fake_quantizer_keep_what_they_see(everywhere: bool) -> None:
    quantizer = rounding()
    module, seen = quantized(Keeps("new"), output=quantizer, passes=quantizer), []

    def hook(module: nn.Module, args: tuple[Tensor, ...], *_: object) -> None:
        if module is quantizer:
            seen.append(args[0])

    register = (
        nn.modules.module.register_module_forward_hook
        if everywhere
        else quantizer.register_forward_pre_hook
    )
    handle = register(hook)
    module(image())
    handle.remove()
    assert torch.equal(seen[0], image() + 1)


@torch.no_grad()
@pytest.mark.filterwarnings("ignore:There is a performance drop")
def test_samples_one_by_one() -> None:
    module, x = with_grid(nn.Linear(SIDE, SIDE)), image()
    assert torch.equal(torch.func.vmap(module)(x), module(x))


@torch.no_grad()
@pytest.mark.parametrize("name", sorted(ROUNDINGS))
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_in_its_place_the_numbers_are_the_same(name: str, layout: torch.memory_format) -> None:
    x = image().reshape(2, 4, 32, 32).to(memory_format=layout) * 40
    scale, round_ = torch.tensor([0.3]), ROUNDINGS[name]
    wanted = fake_quantize(x, scale, -128, 127, round_)
    found = fake_quantize(x.clone(), scale, -128, 127, round_, overwrite=True)
    assert torch.equal(found.view(torch.int32), wanted.view(torch.int32))
    assert found.stride() == wanted.stride()


@torch.no_grad()
def test_halves_and_doubles_are_promoted_as_ever() -> None:
    scale, round_ = torch.tensor([0.3]), ROUNDINGS["half_even"]
    for dtype in (torch.bfloat16, torch.float64):
        x = image().to(dtype)
        wanted = fake_quantize(x, scale, -128, 127, round_)
        found = fake_quantize(x.clone(), scale, -128, 127, round_, overwrite=True)
        assert found.dtype == wanted.dtype
        assert torch.equal(found, wanted)
