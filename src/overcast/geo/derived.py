"""Sources that are made of other ones, and the files that sources read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, runtime_checkable

from odc.geo.geobox import GeoBox

from overcast.geo.location import FilePath
from overcast.geo.stack import file_of


class Gridded(Protocol):
    """A source, of whatever it is read."""

    @property
    def grid(self) -> GeoBox:
        """The grid that the source comes on."""
        ...

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of the pieces it reads at once."""
        ...


S = TypeVar("S", bound=Gridded)


@dataclass(frozen=True, slots=True)
class Derived(Generic[S]):
    """What a source becomes: on its grid, by its blocks, of its file.

    Attributes
    ----------
    source
        What is read first.
    """

    source: S

    @property
    def grid(self) -> GeoBox:
        """The grid that the source comes on."""
        return self.source.grid

    @property
    def blocks(self) -> tuple[int, int]:
        """Rows and columns of the pieces it reads at once; (1, 1) in memory."""
        return self.source.blocks

    @property
    def path(self) -> FilePath | None:
        """File of the source; None of one in memory."""
        return file_of(self.source)


@runtime_checkable
class OfSources(Protocol):
    """A source that reads several others."""

    @property
    def reads(self) -> tuple[object, ...]:
        """The sources that it reads."""
        ...


def files_in(source: object) -> Iterator[FilePath]:
    """Yield every file that a source reads; none for one in memory."""
    if isinstance(source, OfSources):
        for one in source.reads:
            yield from files_in(one)
    elif (path := file_of(source)) is not None:
        yield path
