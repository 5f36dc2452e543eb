"""Several people on one server, as the benchmark `crowd` has them, for a moment."""

from tests.bench import crowd


def test_nothing_is_lost_and_all_show_the_same() -> None:
    figures = crowd.run(clients=5, seconds=3)
    assert figures["crowd_ack_p95"]["n"] == 15
