from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from overcast.geo.bands import SENTINEL_1, SENTINEL_2, Band
from overcast.models.folding import InputChannels, fold
from overcast.models.published import DISPLAY, Channel, Published
from tests.models.miniature import OPTICAL


def test_bands_of_another_unit_begin_at_zero() -> None:
    kernel = torch.randn(4, 13, 3, 3)
    found = fold(
        kernel,
        OPTICAL,
        [InputChannels(SENTINEL_1.bands, 4), InputChannels(SENTINEL_2.bands)],
    )
    assert found.shape == (4, 2 + 4 + 1 + 10 + 1, 3, 3)
    assert not found[:, :7].any()
    blue = SENTINEL_2.bands[0]
    torch.testing.assert_close(found[:, 7], kernel[:, 1] * (blue.high - blue.low))


def test_bands_that_are_not_at_hand_stand_at_their_typical_value() -> None:
    kernel = torch.randn(4, 13, 1, 1)
    red = SENTINEL_2.select(("B04",))
    found = fold(kernel, OPTICAL, [InputChannels(red.bands)])
    rest = sum(
        kernel[:, n, 0, 0] * c.typical
        for n, c in enumerate(OPTICAL.channels)
        if c.band != "B04"
    )
    torch.testing.assert_close(found[:, 1, 0, 0], rest)


def test_pictures_fit_any_band_with_a_response_as_large() -> None:
    rgb = Published(
        name="rgb",
        encoder="resnet18",
        channels=tuple(Channel(band, 0.5, 0.25) for band in ("B04", "B03", "B02")),
        unit=DISPLAY,
    )
    kernel = torch.randn(4, 3, 3, 3)
    radar = fold(kernel, rgb, [InputChannels(SENTINEL_1.bands)])
    # Equal values in all bands give the published response to that grey.
    grey = kernel.sum(1)
    torch.testing.assert_close(radar[:, :2].sum(1), grey / 0.25)
    torch.testing.assert_close(radar[:, 2], -grey * 2)
    torch.testing.assert_close(radar[:, 0], radar[:, 1])
    names = ("B02", "B03", "B04", "B08")
    four = fold(kernel, rgb, [InputChannels(SENTINEL_2.select(names).bands)])
    torch.testing.assert_close(four[:, :4].sum(1), grey / 0.25)
    torch.testing.assert_close(four[:, 2], kernel[:, 0] / 0.25 * 3 / 4)
    user = tuple(Band(n, "digital number", 0, 255) for n in ("blue", "green", "red"))
    torch.testing.assert_close(
        fold(kernel, rgb, [InputChannels(user)])[:, :3], kernel.flip(1) / 0.25
    )


@given(
    st.lists(st.sampled_from(SENTINEL_2.names), min_size=1, unique=True),
    st.integers(1, 10),
    st.integers(0, 1000),
)
def test_a_folded_kernel_is_the_same_function_of_the_ground(
    published: list[str], count: int, seed: int
) -> None:
    """All or some of the published bands are at hand, in another order."""
    random = np.random.default_rng(seed)
    here = [str(name) for name in random.permutation(published)[:count]]
    mean, typical = random.normal(size=(2, len(published)))
    spread = random.uniform(0.1, 3, len(published))
    channels = tuple(map(Channel, published, mean, spread, typical))
    weights = Published(name="w", encoder="", channels=channels, unit="reflectance")
    kernel = torch.from_numpy(random.normal(size=(3, len(published), 1, 1)))
    sensor = SENTINEL_2.select(tuple(here))
    ground = random.uniform(0, 0.4, len(here))

    x = [ground[here.index(c.band)] if c.band in here else c.typical for c in channels]
    z = (np.array(x) - mean) / spread
    u = sensor.to_network(ground.astype(np.float32)[:, None, None]).ravel()
    found = fold(kernel, weights, [InputChannels(sensor.bands)])[:, :, 0, 0].numpy()
    answer = kernel[:, :, 0, 0].numpy() @ z
    np.testing.assert_allclose(found @ [*u, 1], answer, rtol=1e-4, atol=1e-4)
