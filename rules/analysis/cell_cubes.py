"""Sets of cells as cubes: for each dimension, which of its classes; and what can be done to them.

A class is a bit; a cube has one mask for each dimension. Nothing here knows what a bit means.
"""

from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Cube", "intersect", "joined", "minus", "primes", "size", "without"]

Cube = tuple[int, ...]
"""One mask for each dimension; a cell lies in it when each of its bits does. Never empty."""


def intersect(one: Cube, other: Cube) -> Cube | None:
    """The cells of both; None: there are none."""
    both = []
    for mask, limit in zip(one, other, strict=True):
        common = mask & limit
        if not common:
            return None
        both.append(common)
    return tuple(both)


def minus(cube: Cube, taken: Cube) -> Iterator[Cube]:
    """The cells of a cube that are not in another, as cubes that do not overlap."""
    if intersect(cube, taken) is None:
        yield cube
        return
    rest = list(cube)
    for dimension, mask in enumerate(taken):
        if outside := rest[dimension] & ~mask:
            yield (*rest[:dimension], outside, *rest[dimension + 1 :])
        rest[dimension] &= mask


def without(cubes: Iterable[Cube], taken: Sequence[Cube]) -> list[Cube]:
    """The cells of some cubes that are in none of the others."""
    left = list(cubes)
    for cube in taken:
        left = [piece for whole in left for piece in minus(whole, cube)]
    return left


def _covered(cube: Cube, room: Sequence[Cube], start: int = 0) -> bool:
    """Whether each of its cells is in one of the cubes from ``start`` on."""
    for at in range(start, len(room)):
        if intersect(cube, room[at]) is not None:
            return all(_covered(piece, room, at + 1) for piece in minus(cube, room[at]))
    return False


def joined(cubes: Iterable[Cube]) -> list[Cube]:
    """The same cells in fewer cubes; those given must not overlap, and these do not either."""
    found = list(cubes)
    dimension, failed = 0, 0
    while found and failed < len(found[0]):
        masks: dict[Cube, int] = {}
        for cube in found:
            others = (*cube[:dimension], *cube[dimension + 1 :])
            masks[others] = masks.get(others, 0) | cube[dimension]
        failed = failed + 1 if len(masks) == len(found) else 0
        found = [(*key[:dimension], mask, *key[dimension:]) for key, mask in masks.items()]
        dimension = (dimension + 1) % len(found[0])
    return found


def size(cube: Cube) -> int:
    """How many cells it has."""
    cells = 1
    for mask in cube:
        cells *= mask.bit_count()
    return cells


def primes(cubes: Sequence[Cube], free: Sequence[Cube] = ()) -> list[Cube]:
    """The same cells in few and large cubes, which may overlap; ``free`` ones may be taken too.

    A dimension all of whose classes behave alike becomes whole, so that it need not be told.
    """
    room = [*cubes, *free]
    found: list[Cube] = []
    for cube in sorted(cubes, key=size, reverse=True):
        if _covered(cube, found):
            continue
        found.append(_expanded(cube, room))
    # What later cubes cover together, an earlier one need not.
    for cube in list(found):
        others = [other for other in found if other is not cube]
        parts = [part for part in (intersect(whole, cube) for whole in cubes) if part is not None]
        if all(_covered(part, others) for part in parts):
            found.remove(cube)
    return found


def _expanded(cube: Cube, room: Sequence[Cube]) -> Cube:
    """The cube, each dimension as wide as the room allows; the whole dimension first."""
    for dimension in range(len(cube)):
        everything = 0
        for other in room:
            everything |= other[dimension]
        gained = everything & ~cube[dimension]
        for mask in (gained, *_bits(gained)):
            more = (*cube[:dimension], mask, *cube[dimension + 1 :])
            if mask and _covered(more, room):
                cube = (*cube[:dimension], cube[dimension] | mask, *cube[dimension + 1 :])
                if mask == gained:
                    break
    return cube


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low
        mask ^= low
