"""Which target a worker gets next, decided without any process."""

from __future__ import annotations

from collections.abc import Collection

from crawler.handout import MAX_DEATHS, SUSPECTS_TOGETHER, Handout, Task
from crawler.items import Target


def handout(*domains: str, room: int = 100) -> Handout:
    return Handout(iter([Target(domain, f"https://{domain}/") for domain in domains]), room=room)


def take_all(handed: Handout, under_way: Collection[Task] = ()) -> list[Task]:
    """What one worker gets until there is no more for it."""
    tasks = list(under_way)
    while (task := handed.task_for(tasks)) is not None:
        tasks.append(task)
    return tasks


def names(tasks: Collection[Task]) -> list[str]:
    return [task.target.domain for task in tasks]


def test_worker_gets_targets_in_the_order_of_the_list_as_far_as_it_has_room() -> None:
    handed = handout("a", "b", "c", room=2)
    assert names(take_all(handed)) == ["a", "b"]
    assert names(take_all(handed)) == ["c"]
    assert handed.is_empty


def test_targets_of_a_dead_worker_come_in_small_company_and_then_alone() -> None:
    domains = [f"site{number}" for number in range(40)]
    handed = handout(*domains)
    assert handed.put_back(take_all(handed), is_suspect=True) == []
    together = take_all(handed)
    assert names(together) == domains[: SUSPECTS_TOGETHER[1]]
    handed.put_back(together, is_suspect=True)
    assert names(take_all(handed)) == domains[SUSPECTS_TOGETHER[1] : 2 * SUSPECTS_TOGETHER[1]]
    assert names(take_all(handed)) == domains[2 * SUSPECTS_TOGETHER[1] :]
    assert names(take_all(handed)) == domains[:1]


def test_suspects_are_never_in_the_company_of_fresh_targets() -> None:
    handed = handout("a", "b", "c", room=1)
    handed.put_back(take_all(handed), is_suspect=True)
    busy = [Task(Target("other", "https://other/"))]
    assert handed.task_for(busy) is None  # its room is taken
    suspects = take_all(handed)
    assert names(suspects) == ["a"]
    assert names(take_all(handed)) == ["b"]


def test_busy_worker_goes_on_with_fresh_targets_while_suspects_wait() -> None:
    handed = handout("a", "b", "c", room=2)
    handed.put_back([Task(Target("killer", "https://killer/"))], is_suspect=True)
    assert names(take_all(handed, [Task(Target("other", "https://other/"))])) == ["other", "a"]
    assert names(take_all(handed)) == ["killer"]


def test_target_is_given_up_after_its_last_chance() -> None:
    handed = handout("killer")
    for _ in range(MAX_DEATHS - 1):
        assert handed.put_back(take_all(handed), is_suspect=True) == []
    assert [target.domain for target in handed.put_back(take_all(handed), is_suspect=True)] == ["killer"]
    assert handed.is_empty


def test_worker_that_never_began_says_nothing_about_its_targets() -> None:
    handed = handout("a", "b")
    for _ in range(MAX_DEATHS + 1):
        assert handed.put_back(take_all(handed), is_suspect=False) == []
    assert names(take_all(handed)) == ["a", "b"]


def test_nothing_is_handed_out_once_dropped() -> None:
    handed = handout("a", "b", room=1)
    handed.put_back(take_all(handed), is_suspect=True)
    handed.drop()
    assert handed.is_empty
    assert take_all(handed) == []
