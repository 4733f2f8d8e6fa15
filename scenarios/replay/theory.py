"""What queueing theory says of vehicles that could all take any call: a line to hold a replay against."""

from __future__ import annotations


def erlang_c(load: float, vehicles: int) -> float:
    """Share of calls that wait where all vehicles serve one queue, calls come evenly at random and service times are exponential (M/M/c).

    SOURCE: Erlang 1917; Kingman 2009, The first Erlang century, doi:10.1007/s11134-009-9147-4.

    Parameters
    ----------
    load : float
        Vehicles that would be out at once if none were ever lacking: calls an hour times hours of service.
    vehicles : int

    Returns
    -------
    float
        1 where the load is as much as the vehicles or more: the queue never ends.

    Examples
    --------
    >>> round(erlang_c(2.0, 3), 4)
    0.4444
    """
    if load >= vehicles:
        return 1.0
    lost = 1.0  # Erlang B, one vehicle more at a time
    for count in range(1, vehicles + 1):
        lost = load * lost / (count + load * lost)
    return lost / (1 - load / vehicles * (1 - lost))
