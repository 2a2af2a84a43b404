"""Drawn clouds: what they do to a pixel, how often, and that the mask is exact."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from overcast.augment.clouds import Sky, add_clouds
from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band, Sensor
from overcast.train.batch import Batch
from overcast.worlds.clouds import CLEAR, SHADOW, THICK, THIN

SKY = Sky.over(SENTINEL_2)


def clear(samples: int = 6, height: int = 48, width: int = 40) -> Batch:
    """SAR and a clear optical image of ten bands."""
    shape = (samples, height, width)
    return Batch(
        images={
            "s1": torch.rand(samples, 2, height, width),
            "s2": 0.2 + 0.4 * torch.rand(samples, 10, height, width),
        },
        valid={"s1": torch.rand(shape) > 0.1, "s2": torch.rand(shape) > 0.1},
        labels=torch.randint(5, shape),
    )


def test_the_mask_is_exact() -> None:
    batch = clear(40)
    seen, mask = add_clouds(batch, "s2", SKY)
    apart = (seen.images["s2"] - batch.images["s2"]).abs().amax(1)
    assert set(mask.unique().tolist()) == {CLEAR, THIN, THICK, SHADOW}
    # Least opacity and shadow that count: .04 of a cloud, .15 of a shadow.
    assert apart[mask == CLEAR].max() < 0.15
    assert apart[mask == THICK].median() > 0.5
    darker = (seen.images["s2"] < batch.images["s2"]).all(1)
    assert darker[mask == SHADOW].float().mean() > 0.9


def test_nothing_but_the_optical_image_changes() -> None:
    batch = clear()
    before = deepcopy(batch)
    seen, _ = add_clouds(batch, "s2", SKY)
    for name in ("s1", "s2"):
        assert torch.equal(batch.images[name], before.images[name])
        assert torch.equal(seen.valid[name], before.valid[name])
    assert torch.equal(seen.images["s1"], before.images["s1"])
    assert seen.labels is batch.labels


def test_draws_follow_the_seed_and_each_sample_its_own() -> None:
    found = []
    for seed, samples in ((1, 6), (1, 6), (2, 6)):
        batch = clear(6)
        torch.manual_seed(seed)
        found.append(add_clouds(batch.map(lambda t: t * 0), "s2", SKY)[1][:samples])
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    covers = (found[0] != CLEAR).float().mean((1, 2))
    assert len(covers.unique()) > 1


def test_windows_are_mostly_all_clear_or_all_cloud() -> None:
    """Of windows of 640 m 43 % are measured to be clear and 33 % to be all cloud."""
    torch.manual_seed(3)
    _, mask = add_clouds(clear(120, 64, 64), "s2", SKY, cover=(0.45, 0.45), cirrus=0.0)
    cloud = ((mask == THIN) | (mask == THICK)).float().mean((1, 2))
    assert cloud.mean().item() == pytest.approx(0.45, abs=0.08)
    assert 0.2 < (cloud < 0.02).float().mean() < 0.6
    assert 0.15 < (cloud > 0.98).float().mean() < 0.5


def test_clouds_are_as_large_on_any_grid() -> None:
    """Three pixels of 10 m are ten of 3 m."""
    found = []
    for side, pixel in ((120, 3.0), (36, 10.0)):
        torch.manual_seed(5)
        batch = clear(4, side, side)
        torch.manual_seed(6)
        _, mask = add_clouds(batch, "s2", SKY, pixel_m=pixel)
        found.append((mask != CLEAR).float().mean((1, 2)))
    torch.testing.assert_close(found[0], found[1], atol=0.02, rtol=0)
    with pytest.raises(ValueError, match="pixel_m must be positive, got 0"):
        add_clouds(clear(), "s2", SKY, pixel_m=0)


def test_cirrus_is_never_opaque() -> None:
    torch.manual_seed(4)
    _, mask = add_clouds(clear(60), "s2", SKY, cover=(0.8, 0.9), cirrus=1.0)
    assert (mask == THIN).any()
    assert not (mask == THICK).any()


def test_opaque_cloud_has_the_reflectance_that_was_measured() -> None:
    torch.manual_seed(5)
    seen, mask = add_clouds(clear(100), "s2", SKY, cover=(0.8, 0.9), cirrus=0.0)
    high = torch.tensor([b.high for b in SENTINEL_2.bands])[:, None, None]
    reflectance = (seen.images["s2"] * high)[:, 8]  # B11, which is never clipped
    assert reflectance[mask == THICK].mean().item() == pytest.approx(0.47, abs=0.06)


def test_shadow_leaves_a_third_of_the_light() -> None:
    torch.manual_seed(6)
    batch = clear(150)
    seen, mask = add_clouds(batch, "s2", SKY, cover=(0.5, 0.5), cirrus=0.0)
    left = (seen.images["s2"] / batch.images["s2"])[:, 6]  # B08
    assert left[mask == SHADOW].min().item() == pytest.approx(0.322, abs=0.02)


def test_other_sensors_get_spectra_between_those_of_sentinel_2() -> None:
    planet = Sensor("planet", "optical", (Band("B", "reflectance", 0.0, 1.0, 576.0),))
    sky = Sky.over(planet)
    assert SKY.thick[2] < sky.thick[0] < SKY.thick[1]
    assert np.allclose(Sky.over(SENTINEL_2).thick[[0, -1]], (0.652, 0.388))
    assert np.allclose(Sky.of(planet).thick, sky.thick)


def test_clouds_are_grey_where_wavelengths_are_not_known() -> None:
    sensor = Sensor("drone", "optical", tuple(Band(n, "DN", 0, 255) for n in "RGB"))
    grey = Sky.of(sensor)
    assert len(grey.thick) == 3
    assert len(set(grey.thick.tolist())) == 1


def test_what_is_not_reflectance_is_refused() -> None:
    with pytest.raises(ValueError, match="VV is dB"):
        Sky.over(SENTINEL_1)


def test_errors_name_what_is_wrong() -> None:
    batch = clear(1)
    with pytest.raises(ValueError, match="no sensor 's3'; there are s1, s2"):
        add_clouds(batch, "s3", SKY)
    with pytest.raises(ValueError, match="s1 has 2 bands, the sky 10"):
        add_clouds(batch, "s1", SKY)
    with pytest.raises(ValueError, match=r"got cover 0\.0\.\.0\.5"):
        add_clouds(batch, "s2", SKY, cover=(0.0, 0.5))


def test_what_is_not_observed_stays_so() -> None:
    batch = clear(2)
    hole = torch.where(batch.valid["s2"][:, None], batch.images["s2"], torch.nan)
    batch = replace(batch, images={**batch.images, "s2": hole})
    seen, _ = add_clouds(batch, "s2", SKY)
    valid = batch.valid["s2"][:, None].expand_as(hole)
    assert seen.images["s2"][valid].isfinite().all()
    assert torch.equal(seen.valid["s2"], batch.valid["s2"])
