"""Running counters in, warnings out: each line of the tables is a night somebody could still have saved."""

from __future__ import annotations

import pytest

from crawler.troubles import Signs, Tally, Trouble, Vitals, signs_of, troubles, untold
from fingerprints.model import Outcome, Page, PageKind, Record

OK, BLOCKED, TIMEOUT = Outcome.OK, Outcome.BLOCKED, Outcome.TIMEOUT
GB = 1_000_000_000


def tally(**outcomes: int) -> Tally:
    counted = {Outcome(name): count for name, count in outcomes.items()}
    return Tally(sum(counted.values()), counted)


def walled(sites: int, **walls: int) -> Tally:
    blocked = sum(walls.values())
    return Tally(sites, {OK: sites - blocked, BLOCKED: blocked}, walls)


def at_one_address(sites: int, there: int, timeouts: int) -> Tally:
    counted = {OK: sites - timeouts, TIMEOUT: timeouts}
    return Tally(sites, counted, timeouts_at={"203.0.113.7": timeouts}, sites_at={"203.0.113.7": there})


def without_robots(sites: int, unreachable: int) -> Tally:
    counted = {OK: sites - unreachable, Outcome.HTTP_ERROR: unreachable}
    return Tally(sites, counted, robots_unreachable=unreachable)


@pytest.mark.parametrize(
    ("recent", "sentence"),
    [
        (tally(dns_error=19), None),
        (tally(dns_error=20, ok=3), None),
        (tally(ok=200), None),
        (tally(parked=200), None),
        (Tally(), None),
        (
            tally(dns_error=198, ok=2),
            (
                "198 of the last 200 sites ended as dns_error: no name resolves; "
                "is this machine online, and does its DNS resolver answer?"
            ),
        ),
        (
            tally(tls_error=20),
            (
                "20 of the last 20 sites ended as tls_error: no TLS connection succeeds; "
                "does something on this network intercept HTTPS?"
            ),
        ),
    ],
)
def test_same_failure_everywhere_is_explained_early(recent, sentence):
    found = troubles(Vitals(recent=recent))
    assert [trouble.text for trouble in found] == [sentence] * (sentence is not None)


def test_network_that_dies_in_the_night_is_one_warning():
    vitals = Vitals(recent=tally(timeout=195, ok=5), before=tally(ok=5_000, timeout=100))
    assert [trouble.kind for trouble in troubles(vitals)] == ["all_timeout"]


@pytest.mark.parametrize(
    ("vitals", "kind"),
    [
        # One wall: a fifth of the web stands behind the most popular one.
        (Vitals(recent=walled(200, Cloudflare=39)), None),
        (Vitals(recent=walled(200, Cloudflare=40)), "wall"),
        (Vitals(recent=walled(49, Cloudflare=30)), None),
        (Vitals(recent=walled(200, Cloudflare=25, DataDome=20)), None),
        (Vitals(recent=walled(200, Cloudflare=40), before=walled(900, Cloudflare=80)), "wall"),
        (Vitals(recent=walled(200, Cloudflare=40), before=walled(900, Cloudflare=95)), None),
        # Time-outs, against those of the list so far.
        (Vitals(recent=tally(ok=141, timeout=59)), None),
        (Vitals(recent=tally(ok=140, timeout=60)), "timeouts"),
        (Vitals(recent=tally(ok=140, timeout=60), before=tally(ok=800, timeout=200)), None),
        # Time-outs at one address, while the rest of the web answers.
        (Vitals(recent=at_one_address(200, there=16, timeouts=12)), "address"),
        (Vitals(recent=at_one_address(200, there=17, timeouts=12)), None),
        (Vitals(recent=at_one_address(200, there=11, timeouts=11)), None),
        # robots.txt: failing, or forbidding.
        (Vitals(recent=without_robots(200, 60)), "robots_unreachable"),
        (Vitals(recent=without_robots(200, 60), before=without_robots(1_000, 300)), None),
        (Vitals(recent=tally(ok=140, robots_disallowed=60)), "robots_disallowed"),
        (Vitals(recent=tally(ok=190, robots_disallowed=10)), None),
        # Speed, against the run's own; the end of a list is always slow.
        (Vitals(per_minute=[600] * 10 + [140, 149, 120]), "slow"),
        (Vitals(per_minute=[600] * 10 + [150] * 3), None),
        (Vitals(per_minute=[600] * 9 + [10] * 3), None),
        (Vitals(per_minute=[600] * 10 + [10, 600, 600]), None),
        (Vitals(per_minute=[600] * 10 + [0] * 3), "slow"),
        (Vitals(per_minute=[600] * 10 + [0] * 3, is_ending=True), None),
        (Vitals(per_minute=[0] * 13), None),
        # The disk, against what the rest of the list needs.
        (Vitals(disk_free_bytes=None, left=1_000_000), None),
        (Vitals(disk_free_bytes=13 * GB, left=1_000_000), None),
        (Vitals(disk_free_bytes=12 * GB, left=1_000_000), "disk"),
        (Vitals(disk_free_bytes=GB // 10, left=None), "disk"),
        (Vitals(disk_free_bytes=GB, left=60), None),
    ],
)  # fmt: skip
def test_trouble_is_seen_and_nothing_else(vitals, kind):
    assert [trouble.kind for trouble in troubles(vitals)] == [kind] * (kind is not None)


@pytest.mark.parametrize(
    ("vitals", "start", "remedy"),
    [
        (
            Vitals(recent=walled(200, Cloudflare=62), before=walled(1_000, Cloudflare=40)),
            "62 of the last 200 sites block this crawl in the same way (Cloudflare), 4% before: stop it",
            "--concurrency",
        ),
        (
            Vitals(recent=tally(ok=100, timeout=100), before=tally(ok=950, timeout=50)),
            "100 of the last 200 sites time out, 5% before: this machine's own network",
            "--concurrency",
        ),
        (
            Vitals(per_minute=[480] * 10 + [12] * 3),
            "12 sites a minute for the last 3 minutes, 480 before:",
            "the same command again",
        ),
        (
            Vitals(disk_free_bytes=2 * GB, left=1_000_000),
            "2.0 GB are free on the database's disk, and the rest of the list needs about 12.0 GB: ",
            "free some space",
        ),
    ],
)
def test_warning_says_how_much_since_when_and_what_to_do(vitals, start, remedy):
    (trouble,) = troubles(vitals)
    assert trouble.text.startswith(start)
    assert remedy in trouble.text


def test_trouble_is_told_once_and_again_when_clearly_worse():
    told: dict[str, float] = {}
    for severity, is_told in [(0.2, True), (0.3, False), (0.1, False), (0.45, True), (0.5, False)]:
        news = untold([Trouble("wall", severity, "")], told)
        assert bool(news) is is_told
        told |= {trouble.kind: trouble.severity for trouble in news}


@pytest.mark.parametrize(
    ("record", "signs"),
    [
        (Record("a.com", OK, address="203.0.113.7"), Signs(OK, address="203.0.113.7")),
        (Record("a.com", BLOCKED, "Cloudflare block (error 1015)"), Signs(BLOCKED, "Cloudflare")),
        (Record("a.com", BLOCKED, "Cloudflare challenge"), Signs(BLOCKED, "Cloudflare")),
        (
            Record("a.com", BLOCKED, "429 Too Many Requests"),
            Signs(BLOCKED, "429 Too Many Requests"),
        ),
        (Record("a.com", BLOCKED, "login wall"), Signs(BLOCKED)),  # nothing against us
        (
            Record(
                "a.com",
                BLOCKED,
                "robots.txt: Cloudflare challenge",
                pages=(Page("https://a.com/", PageKind.HOME, BLOCKED, 429, flags=("robots_unreachable",)),),
            ),
            Signs(BLOCKED, "Cloudflare", robots_unreachable=True),
        ),
    ],
)
def test_record_shows_whose_wall_it_met(record, signs):
    assert signs_of(record) == signs
