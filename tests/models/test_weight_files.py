from __future__ import annotations

import hashlib
import io
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from overcast.errors import INPUT, MACHINE, explain
from overcast.models import weight_files
from overcast.models.pretrained import load
from overcast.models.published import DISPLAY, PUBLISHED, published
from tests.models.miniature import OPTICAL, SENSORS, layout, unet


def test_a_file_is_known_by_its_checksum(
    publish: Callable[..., str], tmp_path: Path
) -> None:
    publish(OPTICAL, dict(layout(13).state_dict()))
    (there,) = weight_files.cache_folder().iterdir()
    copy = there.rename(tmp_path / "copied.pth")
    assert load(copy, unet(), SENSORS)
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="not one of the published files"):
        weight_files.find(tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="no such file of weights"):
        weight_files.find(tmp_path / "nowhere.pth")


def test_a_damaged_file_is_refused(publish: Callable[..., str]) -> None:
    name = publish(OPTICAL, dict(layout(13).state_dict()))
    (there,) = weight_files.cache_folder().iterdir()
    there.write_bytes(there.read_bytes()[:-1] + b"x")
    with pytest.raises(ValueError, match=r"or damaged: SHA-256 is .*, expected"):
        load(name, unet(), SENSORS)


def test_timm_s_weights_come_with_their_checksum() -> None:
    found = published("resnet18.tv_in1k")
    assert found.sha256 == "f37072fd"
    assert (found.encoder, found.unit) == ("resnet18", DISPLAY)
    assert found.bands == ("B04", "B03", "B02")
    assert np.allclose([c.mean for c in found.channels], (0.485, 0.456, 0.406))
    with pytest.raises(ValueError, match="no address with a checksum"):
        published("resnet50.bamboo")


def test_a_prefix_is_made_whole_when_a_file_is_first_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file with the same first digits is refused later, though its prefix is right."""
    monkeypatch.setenv("OVERCAST_CACHE", str(tmp_path))
    folder = weight_files.cache_folder()
    folder.mkdir()
    weights = replace(OPTICAL, url="https://example.org/a.safetensors")
    save_file({"a": torch.zeros(1)}, folder / "a.safetensors")
    digest = hashlib.sha256((folder / "a.safetensors").read_bytes()).hexdigest()
    short = replace(weights, sha256=digest[:8])
    assert weight_files.read(short)["a"].shape == (1,)
    assert (folder / "a.safetensors.sha256").read_text().strip() == digest
    monkeypatch.setattr(weight_files, "_digest", lambda path: digest[:8] + "0" * 56)
    with pytest.raises(ValueError, match="or damaged: SHA-256 is"):
        weight_files.read(short)


@pytest.mark.parametrize("digits", ["f37072fd", "g" * 64, "0" * 65])
def test_a_described_checksum_is_whole(tmp_path: Path, digits: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        f'file = "a.pth"\nunit = "dB"\nsha256 = "{digits}"\n[[bands]]\nband = "VV"\n'
    )
    with pytest.raises(ValueError, match=r"mine\.toml: sha256 is .*64 hexadecimal"):
        weight_files.find(path)


def test_the_table_is_whole() -> None:
    for name, weights in PUBLISHED.items():
        assert name == weights.name
        assert weights.url.startswith("https://")
        assert weights.url.endswith(f"-{weights.sha256[:8]}.pth")
        assert weights.licence
        assert weights.citation
        assert weights.unit in ("reflectance", "dB")
        known = {"reflectance": 0.3, "dB": 25.0}[weights.unit]
        assert all(0 < abs(c.typical) < known for c in weights.channels)
        assert f"-{weights.encoder}-" in f"-{name}"


class Answer(io.BytesIO):
    headers: dict[str, str]


def test_a_download_is_checked_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OVERCAST_CACHE", str(tmp_path))
    buffer = io.BytesIO()
    torch.save({"a": torch.arange(4)}, buffer)
    content, sent = buffer.getvalue(), list[str]()
    weights = replace(OPTICAL, sha256=hashlib.sha256(content).hexdigest())

    def answer(body: bytes, length: int) -> Callable[..., Answer]:
        def urlopen(url: str, timeout: float) -> Answer:
            sent.append(url)
            made = Answer(body)
            made.headers = {"Content-Length": str(length)}
            return made

        return urlopen

    def gone(url: str, timeout: float) -> Answer:
        raise urllib.error.URLError("no route to host")

    def state(code: int) -> Callable[..., Answer]:
        def urlopen(url: str, timeout: float) -> Answer:
            raise urllib.error.HTTPError(url, code, "no", Message(), None)

        return urlopen

    for how, message, exit_code in (
        (gone, "can't be fetched .*no route to host.*put it into", MACHINE),
        (answer(content[:9], len(content)), "connection ended after 9 of", MACHINE),
        (state(503), "can't be fetched .*503", MACHINE),
        (state(429), "can't be fetched .*429", MACHINE),
        (state(404), "can't be fetched .*404.*put it into", INPUT),
        (answer(b"<html>", 6), "that was published, or damaged", INPUT),
    ):
        monkeypatch.setattr(urllib.request, "urlopen", how)
        with pytest.raises((ValueError, OSError), match=message) as error:
            weight_files.read(weights)
        assert explain(error.value) == (exit_code, str(error.value))
        assert list(weight_files.cache_folder().iterdir()) == []
    monkeypatch.setattr(urllib.request, "urlopen", answer(content, len(content)))
    steps: list[int] = []
    for _ in range(2):
        found = weight_files.read(weights, lambda _, done, *__: steps.append(done))
        assert torch.equal(found["a"], torch.arange(4))
    assert sent.count(weights.url) == 3  # two that failed, one that is kept
    assert steps == [len(content)]


def test_a_pickle_is_not_run(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "ran",)

    torch.save({"a": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ValueError, match="not a file of weights"):
        weight_files.read(replace(OPTICAL, sha256="", file=tmp_path / "evil.pth"))
    assert not (tmp_path / "ran").exists()
