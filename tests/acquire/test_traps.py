"""What goes wrong with public catalogues, and where it is tried: a table.

Each row has a trap, where others fell into it, and the tests that it is tried by.
docs/my-region.md says the same to users, without the tests.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

import pytest

from tests.docs.pages import ROOT


@dataclass(frozen=True)
class Trap:
    """A trap.

    Attributes
    ----------
    what
        What goes wrong.
    said
        How the row of docs/my-region.md begins.
    seen
        Threads of those who fell into it, as ``owner/repository#number``.
    tests
        Module and name of the tests.
    """

    what: str
    said: str
    seen: str
    tests: tuple[str, ...]


TRAPS = (
    Trap(
        "metadata say that the offset is not applied, and pixels have it applied",
        "Metadata say that the offset of -1000",
        "Element84/earth-search#66",
        (
            "test_fetch.test_pixels_are_the_sources",
            "test_sources.test_offsets_are_claimed_in_many_ways",
        ),
    ),
    Trap(
        "the item says no offset; the baseline decides, and not the date",
        "Some sources give no offset at all",
        "microsoft/PlanetaryComputer#134",
        ("test_sources.test_offsets_are_claimed_in_many_ways",),
    ),
    Trap(
        "some loaders apply scale and offset, some do not",
        "Loaders apply scale and offset",
        "opendatacube/odc-stac#55",
        ("test_fetch.test_offset_in_the_pixels_is_not_added_again",),
    ),
    Trap(
        "harmonising cuts off at zero, or makes no data into -1000",
        "Harmonising cuts off dark pixels",
        "microsoft/PlanetaryComputer#460",
        (
            "test_pixels.test_no_data_stays_no_data_and_the_dark_is_kept",
            "test_pixels.test_below_zero_is_kept",
        ),
    ),
    Trap(
        "the nodata tag is missing in a part of the archive",
        "A nodata tag is missing",
        "microsoft/PlanetaryComputer#460",
        ("test_pixels.test_no_data_stays_no_data_and_the_dark_is_kept",),
    ),
    Trap(
        "1 at the edges of scenes means nothing there",
        "A nodata tag is missing; edges hold 1",
        "digitalearthafrica/deafrica-sandbox-notebooks#403",
        ("test_pixels.test_one_at_the_edge_of_a_scene_is_no_data",),
    ),
    Trap(
        "no data bleeds into its neighbours when pixels are interpolated",
        "No data bleeds into neighbours",
        "sertit/eoreader#329",
        ("test_pixels.test_no_data_does_not_bleed",),
    ),
    Trap(
        "two items of one tile and day: two stations, or processed again",
        "Two items of one tile and overpass",
        "cirrus-geo/cirrus-earth-search#4",
        ("test_fetch.test_offset_in_the_pixels_is_not_added_again",),
    ),
    Trap(
        "a tile in two datastrips, one of which is missing",
        "A tile in two pieces, one missing",
        "microsoft/PlanetaryComputer#256",
        ("test_fetch.test_offset_in_the_pixels_is_not_added_again",),
    ),
    Trap(
        "items come again on other pages",
        "Items come twice",
        "microsoft/PlanetaryComputer#163",
        ("test_faults.test_a_search_gives_every_item_once",),
    ),
    Trap(
        "one Sentinel-1 acquisition under two names",
        "One Sentinel-1 acquisition under two names",
        "stactools-packages/sentinel1#41",
        ("test_fetch.test_backscatter_is_in_db",),
    ),
    Trap(
        "signed addresses die before they are read; two signatures are refused",
        "Signed addresses die",
        "opendatacube/odc-stac#289",
        (
            "test_faults.test_signatures_are_made_at_the_read",
            "test_sources.test_pieces_have_no_signatures",
        ),
    ),
    Trap(
        "too many requests of tokens, searches that time out",
        "Too many requests (429)",
        "microsoft/PlanetaryComputer#415",
        (
            "test_faults.test_what_passes_is_waited_for",
            "test_faults.test_a_search_gives_every_item_once",
        ),
    ),
    Trap(
        "a failed read is remembered, and a retry gets it again",
        "A failed read is remembered",
        "opendatacube/odc-stac#144",
        (
            "test_faults.test_what_passes_is_waited_for",
            "test_faults.test_what_stays_is_one_line_and_costs_nothing_that_was_read",
        ),
    ),
    Trap(
        "what could not be read is left out, and nothing is said",
        "Holes that the metadata do not mention",
        "interTwin-eu/dask-flood-mapper#58",
        (
            "test_fetch.test_holes_are_counted_and_said",
            "test_faults.test_a_missing_file_is_one_line_and_a_way_on",
        ),
    ),
    Trap(
        "the item says a wrong place",
        "The item says a wrong place",
        "microsoft/PlanetaryComputer#417",
        ("test_fetch.test_backscatter_is_in_db",),
    ),
    Trap(
        "Sentinel-1 has gaps, or one polarisation",
        "Sentinel-1 with gaps",
        "microsoft/PlanetaryComputer#449",
        (
            "test_fetch.test_days_are_chosen_by_the_area",
            "test_fetch.test_holes_are_counted_and_said",
        ),
    ),
    Trap(
        "ascending and descending are mixed",
        "Ascending and descending mixed",
        "e-sensing/sits#1067",
        (
            "test_fetch.test_days_are_chosen_by_the_area",
            "test_squares.test_the_orbit_of_a_region_is_the_same_everywhere",
        ),
    ),
    Trap(
        "a projection is written in four ways, or not at all",
        "Four ways to write a projection",
        "gjoseph92/stackstac#262",
        (
            "test_pixels.test_a_projection_is_written_in_four_ways",
            "test_fetch.test_labels_stay_on_their_own_grid",
        ),
    ),
    Trap(
        "items of two UTM zones",
        "Two UTM zones",
        "EOA-team/eodal#64",
        ("test_fetch.test_the_neighbouring_zone_lies_where_it_should",),
    ),
    Trap(
        "a server passes over conditions, or answers with nothing",
        "A server passes over conditions",
        "brazil-data-cube/rstac#145",
        (
            "test_faults.test_a_search_gives_every_item_once",
            "test_sources.test_another_server_gives_the_same_items",
        ),
    ),
    Trap(
        "the cloud cover of an item is that of the whole tile",
        "Cloud cover of the whole tile",
        "fieldsoftheworld/ftw-baselines#64",
        ("test_fetch.test_days_are_chosen_by_the_area",),
    ),
    Trap(
        "memory grows with time, bands and pixels",
        "Memory grows with time and bands",
        "microsoft/PlanetaryComputer#12",
        ("test_fetch.test_no_more_than_a_window_is_read_at_once",),
    ),
    Trap(
        "s3 addresses are read with the settings of another service",
        "`s3://` of Copernicus",
        "opendatacube/odc-stac#238",
        ("test_sources.test_s3_addresses_have_the_source_s_settings",),
    ),
    Trap(
        "tiles are looked up by half degrees, and missed",
        "Tiles looked up by half degrees",
        "allenai/rslearn#71",
        (
            "test_place.test_a_tile_is_its_grid",
            "test_place.test_a_tile_lies_in_its_band",
        ),
    ),
)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.what[:40])
def test_a_trap_is_tried_and_said(trap: Trap) -> None:
    page = (ROOT / "docs" / "my-region.md").read_text(encoding="utf-8")
    assert f"| {trap.said}" in page
    assert trap.tests
    for test in trap.tests:
        module, name = test.split(".")
        assert hasattr(importlib.import_module(f"tests.acquire.{module}"), name), test


def test_no_row_is_without_a_trap() -> None:
    page = (ROOT / "docs" / "my-region.md").read_text(encoding="utf-8")
    table = page.partition("| trap | what happens here |")[2].partition("\n\n")[0]
    rows = [row for row in table.splitlines()[2:] if row.startswith("|")]
    unknown = [r for r in rows if not any(r.startswith(f"| {t.said}") for t in TRAPS)]
    assert unknown == []
