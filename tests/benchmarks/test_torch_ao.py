"""The torch.ao lane rounds weights and activations to 8 bits, and observes nothing while timed."""

from __future__ import annotations

import pytest
import torch

from benchmarks import networks, torch_ao

STEPS = 256


@pytest.fixture(scope="module")
def network() -> networks.Network:
    return networks.residual_stack(size=8)


@pytest.fixture(scope="module")
def rounded(network: networks.Network) -> torch.nn.Module:
    return torch_ao.fake_quantized(network.build(), network.images(4))


def quantizers(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    from torch.ao.quantization import FakeQuantizeBase

    return {k: m for k, m in model.named_modules() if isinstance(m, FakeQuantizeBase)}


@torch.no_grad()
def test_it_computes_the_network_but_for_rounding(
    network: networks.Network, rounded: torch.nn.Module
) -> None:
    images = network.images(4)
    real, found = network.build()(images), rounded(images)
    assert torch.nn.functional.cosine_similarity(found.flatten(), real.flatten(), dim=0) > 0.99
    assert (found - real).abs().max() > 1e-3


@torch.no_grad()
def test_weights_lie_on_a_grid_per_channel_and_activations_on_one_per_tensor(
    network: networks.Network, rounded: torch.nn.Module
) -> None:
    seen: dict[str, torch.Tensor] = {}
    handles = [
        m.register_forward_hook(lambda _m, _i, out, k=k: seen.update({k: out}))
        for k, m in quantizers(rounded).items()
    ]
    rounded(network.images(4))
    for handle in handles:
        handle.remove()
    weights = {k: x for k, x in seen.items() if k.endswith("weight_fake_quant")}
    convolutions = [m for m in network.build().modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(weights) == len(convolutions)
    assert len(seen) > 2 * len(weights) - 2
    for name, values in seen.items():
        rows = values.flatten(1) if name in weights else values.reshape(1, -1)
        assert len(quantizers(rounded)[name].scale) == len(rows), name
        for row in rows:
            assert 1 < len(row.unique()) <= STEPS, name


@torch.no_grad()
def test_scales_stay_whatever_it_sees(network: networks.Network, rounded: torch.nn.Module) -> None:
    images = network.images(4)
    before = {k: m.scale.clone() for k, m in quantizers(rounded).items()}
    first = rounded(images)
    rounded(100 * images)
    assert torch.equal(rounded(images), first)
    assert all(torch.equal(m.scale, before[k]) for k, m in quantizers(rounded).items())


def test_the_model_it_is_given_stays_as_it_is(network: networks.Network) -> None:
    model = network.build()
    kept = {k: v.clone() for k, v in model.state_dict().items()}
    torch_ao.fake_quantized(model, network.images(2))
    assert not model.training
    assert all(torch.equal(v, kept[k]) for k, v in model.state_dict().items())
