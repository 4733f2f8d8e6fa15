"""Which ends of links are one node: by the table's own node ids, else by lying within a tolerance of each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from geodata.roads import EARTH_RADIUS_M, Bools, Floats, Ints


@dataclass(frozen=True, eq=False)
class Joined:
    """The nodes of places.

    Attributes
    ----------
    node : (places,) int64
        0..n-1, in the order of the first place of each.
    chain_m : tuple of float
        Extents of the nodes whose places lie farther apart than the tolerance, because each is near to the next; largest first.
    """

    node: Ints
    chain_m: tuple[float, ...]


def join_places(lonlat: Floats, tolerance_m: float, *, known: Ints | None = None) -> Joined:
    """Join places that lie within `tolerance_m` of each other, and of each other's neighbours.

    Parameters
    ----------
    lonlat : (places, 2) float64
    tolerance_m : float
        Inclusive.
    known : (places,) int64, optional
        Nodes of places that the table names, -1 where it does not. Two named places are never joined by lying near.
    """
    count = len(lonlat)
    pairs = near_pairs(lonlat, tolerance_m)
    if known is not None:
        pairs = pairs[(known[pairs] < 0).any(axis=1)]
        named = np.flatnonzero(known >= 0)
        _, first = np.unique(known[named], return_index=True)
        same = named[first][np.searchsorted(known[named][first], known[named])] if len(named) else named
        pairs = np.concatenate([pairs, np.column_stack([same, named])])
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, label = connected_components(graph, directed=False)
    node = pd.factorize(label)[0].astype(np.int64)
    return Joined(node, () if known is not None else _chains(lonlat, node, tolerance_m))


def near_pairs(lonlat: Floats, within_m: float) -> Ints:
    """Pairs (i < j) of places within so many metres of each other, inclusive, sorted."""
    pairs = cKDTree(on_sphere_m(lonlat)).query_pairs(chord_m(within_m), output_type="ndarray").astype(np.int64)
    return np.asarray(np.unique(np.sort(pairs, axis=1), axis=0)) if len(pairs) else pairs.reshape(-1, 2)


def on_sphere_m(lonlat: Floats) -> Floats:
    """Places in three dimensions, metres from the middle of the globe: straight lines between them serve as great circles."""
    lon, lat = np.radians(lonlat).T
    return EARTH_RADIUS_M * np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def chord_m(arc_m: float) -> float:
    """Straight distance of a great-circle distance, a micrometre more: the limit is inclusive."""
    return float(2 * EARTH_RADIUS_M * np.sin(arc_m / (2 * EARTH_RADIUS_M)) + 1e-6)


def _chains(lonlat: Floats, node: Ints, tolerance_m: float) -> tuple[float, ...]:
    ordered = pd.DataFrame({"node": node, "lon": lonlat[:, 0], "lat": lonlat[:, 1]}).drop_duplicates()
    crowded = ordered.groupby("node").filter(lambda places: len(places) > len("ab"))
    extents = (float(pdist(on_sphere_m(places[["lon", "lat"]].to_numpy())).max()) for _, places in crowded.groupby("node"))
    return tuple(sorted((extent for extent in extents if extent > chord_m(tolerance_m)), reverse=True))


def drawn_against(from_node: Ints, to_node: Ints, start: Ints, end: Ints) -> Bools:
    """Tell which links are drawn from their to-node to their from-node.

    A node lies where most of the links that name it have an end. A link counts as drawn against its nodes if more other links agree with
    that than with the way it is drawn.

    Parameters
    ----------
    from_node, to_node : (links,) int64
        The nodes that the table names.
    start, end : (links,) int64
        The places where each line starts and ends.
    """
    link = np.arange(len(start))
    claims = pd.DataFrame(
        {
            "node": np.concatenate([from_node, from_node, to_node, to_node]),
            "place": np.concatenate([start, end, end, start]),
            "link": np.tile(link, 4),
        }
    ).drop_duplicates()
    votes = claims.groupby(["node", "place"])["link"].size()

    def others(node: Ints, place: Ints) -> Ints:
        return np.asarray(votes.reindex(pd.MultiIndex.from_arrays([node, place])).to_numpy() - 1)

    as_drawn = others(from_node, start) + others(to_node, end)
    against = others(from_node, end) + others(to_node, start)
    return np.asarray((against > as_drawn) & (from_node != to_node))
