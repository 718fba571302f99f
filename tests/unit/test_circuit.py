"""When a destination is paused: pure counting."""

from __future__ import annotations

import pytest

from statsig_tui.core.circuit import Circuit, is_well
from statsig_tui.core.config import CircuitPolicy


def failing(circuit: Circuit, *deliveries: int) -> Circuit:
    for delivery in deliveries:
        circuit.note(delivery, 500, "500 Oops")
    return circuit


def test_it_opens_after_so_many_deliveries_in_a_row_and_says_why() -> None:
    circuit = failing(Circuit(CircuitPolicy(3)), 1, 2)
    assert circuit.reason is None
    failing(circuit, 3)
    assert circuit.reason == "3 deliveries failed in a row; the last one: 500 Oops"
    assert failing(circuit, 4).reason == "3 deliveries failed in a row; the last one: 500 Oops"


def test_one_delivery_that_fails_again_and_again_counts_once() -> None:
    assert failing(Circuit(CircuitPolicy(2)), 7, 7, 7, 7).reason is None


def test_a_sporadic_success_begins_the_count_again() -> None:
    circuit = failing(Circuit(CircuitPolicy(3)), 1, 2)
    circuit.note(3, 200, None)
    assert failing(circuit, 4, 5).reason is None
    assert failing(circuit, 6).reason is not None


def test_a_success_closes_it() -> None:
    circuit = failing(Circuit(CircuitPolicy(1)), 1)
    assert circuit.reason == "1 delivery failed in a row; the last one: 500 Oops"
    circuit.note(1, 204, None)
    assert circuit.reason is None


@pytest.mark.parametrize("status", [200, 299, 400, 410, 413, 422, 429])
def test_an_endpoint_that_speaks_about_what_it_gets_is_well(status: int) -> None:
    assert is_well(status)


@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 401, 403, 404, 408, 500, 502, 503, 504, 599])
def test_any_other_answer_and_none_is_a_failure(status: int | None) -> None:
    assert not is_well(status)


def test_without_a_number_it_never_opens_and_an_open_one_closes() -> None:
    assert failing(Circuit(CircuitPolicy(0)), *range(100)).reason is None
    assert failing(Circuit(CircuitPolicy(0), "of a former run"), 1).reason is None
