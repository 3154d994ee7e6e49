from __future__ import annotations

from cli.timeline import MOST_COLUMNS, columns

HOUR_S, DAY_S = 3_600, 86_400


def steady(first_s: int, last_s: int, step_s: int, sites: int = 1) -> dict[int, dict[str, int]]:
    return {slot: {"ok": sites} for slot in range(first_s // step_s, last_s // step_s)}


def test_one_site_is_one_column():
    (column,) = columns({1_000: {"ok": 1}}, 1, [999])
    assert (column.start_s, column.length_s, column.sites, column.pause_s) == (1_000, 1, 1, 0)


def test_no_site_is_no_column():
    assert columns({}, 1, [999]) == []


def test_night_becomes_columns_of_a_round_length_that_lose_no_site():
    found = columns(steady(0, 9 * HOUR_S, 60, sites=7), 60, [0])
    assert len(found) <= MOST_COLUMNS
    assert {column.length_s for column in found} == {600}
    assert sum(column.sites for column in found) == 9 * 60 * 7
    assert found[0].per_second == 7 / 60


def test_time_in_which_nothing_came_is_shown_as_nothing():
    slots = steady(0, HOUR_S, 60) | steady(2 * HOUR_S, 3 * HOUR_S, 60)
    found = columns(slots, 60, [0])
    assert [column.sites for column in found if HOUR_S <= column.start_s < 2 * HOUR_S] == [0] * 12 * 1
    assert not any(column.pause_s for column in found)


def test_time_between_two_runs_is_a_pause_and_takes_no_room():
    slots = steady(0, HOUR_S, 60) | steady(2 * DAY_S, 2 * DAY_S + HOUR_S, 60)
    found = columns(slots, 60, [0, 2 * DAY_S - 3])
    assert len(found) <= MOST_COLUMNS
    assert [column.pause_s for column in found if column.pause_s] == [2 * DAY_S - HOUR_S]
    assert sum(column.sites for column in found) == 120


def test_crawl_that_was_killed_again_and_again_still_fits():
    slots = {10 * number: {"ok": 1} for number in range(200)}
    found = columns(slots, 1, [10 * number - 1 for number in range(200)])
    assert len(found) <= MOST_COLUMNS
    assert sum(column.sites for column in found) == 200
