"""Files of weights: the same bytes, whole or not there, and refusals."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from overcast.train.checkpoint import (
    load_checkpoint,
    load_weights,
    save_checkpoint,
    save_weights,
)
from tests.train.tiny import Tiny, tiny


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3))


def test_weights_and_buffers_come_back(tmp_path: Path) -> None:
    one, two = network(), network()
    one(torch.randn(4, 2, 3, 3))
    save_weights(one, tmp_path / "deep" / "w")
    load_weights(two, tmp_path / "deep" / "w")
    assert one.state_dict().keys() == two.state_dict().keys()
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name])
    assert [p.name for p in (tmp_path / "deep").iterdir()] == ["w"]


def test_equal_weights_give_equal_bytes_in_any_memory_format(tmp_path: Path) -> None:
    save_weights(tiny(), tmp_path / "a")
    save_weights(tiny().to(memory_format=torch.channels_last), tmp_path / "b")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_that_share_memory_are_written(tmp_path: Path) -> None:
    tied = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    tied[1].weight = tied[0].weight
    save_weights(tied, tmp_path / "w")
    load_weights(tied, tmp_path / "w")


@pytest.mark.parametrize("call", ["os.fsync", "pathlib.Path.replace"])
def test_a_failed_write_leaves_the_old_file(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w"
    save_weights(tiny(), path)
    before = path.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(call, full)
    with pytest.raises(OSError, match="disk full"):
        save_weights(Tiny(), path)
    assert path.read_bytes() == before


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    save_weights(network(), tmp_path / "w")
    with pytest.raises(
        ValueError, match=r"w does not fit this Tiny: body.weight is mi"
    ):
        load_weights(tiny(), tmp_path / "w")


@pytest.mark.parametrize("content", [b"", b"not a safetensors file"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w").write_bytes(content)
    with pytest.raises(ValueError, match="w: not a safetensors file"):
        load_weights(tiny(), tmp_path / "w")


def test_truncated_files_are_refused(tmp_path: Path) -> None:
    save_weights(tiny(), tmp_path / "w")
    (tmp_path / "w").write_bytes((tmp_path / "w").read_bytes()[:-10])
    with pytest.raises(ValueError, match="w: not a safetensors file"):
        load_weights(tiny(), tmp_path / "w")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_weights(tiny(), tmp_path / "w")


def test_the_optimiser_comes_back(tmp_path: Path) -> None:
    one, two = tiny(), Tiny()
    first, second = (torch.optim.AdamW(m.parameters()) for m in (one, two))
    for p in one.parameters():
        p.grad = torch.randn_like(p)
    first.step()
    save_checkpoint(tmp_path / "c", one, first, 5, {"recipe": "x"})
    assert load_checkpoint(tmp_path / "c", two, second, {"recipe": "x"}) == 5
    for mine, theirs in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(mine, theirs)
        for key, value in first.state[mine].items():
            assert torch.equal(value, second.state[theirs][key])


def test_weights_are_no_checkpoint(tmp_path: Path) -> None:
    model = tiny()
    save_weights(model, tmp_path / "w")
    optimiser = torch.optim.AdamW(model.parameters())
    with pytest.raises(ValueError, match="not a checkpoint"):
        load_checkpoint(tmp_path / "w", model, optimiser, {})
