"""What goes wrong with a crawl as a whole, told from its running counters while there is time to act.

A wall, a broken resolver or a full disk costs a night when nobody hears of it: the sites that were asked
meanwhile have their record, and only a new crawl asks them again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from crawler.answer import ROBOTS_TXT, ROBOTS_UNREACHABLE
from crawler.blocked import vendor_of
from fingerprints.model import Outcome, Record

RECENT = 200
"""Targets that are looked at for what is going on now."""
SOME = 50
"""Fewer recent targets than this say nothing about a share of them."""

SAME_FAILURE_SHARE = 0.9
SAME_FAILURE_SITES = 20
"""Fewer sites say nothing about the network: a list may well begin with dead domains."""
WALL_SHARE = 0.2
"""Of the recent targets, blocked by one wall. A popular wall stands before a fifth of the web: all of it."""
TIMEOUT_SHARE = 0.3
ROBOTS_SHARE = 0.3
ADDRESS_SITES = 12
ADDRESS_SHARE = 0.75
"""Of the recent sites at one address, and of them at least ADDRESS_SITES, that time out."""
RISE = 2.0
"""How many times its share before something must have now to be called new."""

SLOW_MINUTES = 3
USUAL_MINUTES = 10
"""Whole minutes a run must have behind it before it has a usual speed."""
SLOW_SHARE = 0.25
"""Of the usual speed."""

RECORD_BYTES = 12_000
"""What a record takes in the database, with its line in the log (docs/database.md)."""
RESERVE_BYTES = 200_000_000
"""Of the disk, beside what the rest of the list needs: SQLite's journal, the worker's log, other programs."""

WORSE_BY = 0.2
"""A trouble that was told is told again when it has grown by this much."""

_SAME_FAILURE = {
    Outcome.DNS_ERROR: "no name resolves; is this machine online, and does its DNS resolver answer?",
    Outcome.TIMEOUT: "nothing answers in time; does a firewall drop connections to ports 80 and 443?",
    Outcome.REFUSED: "every connection is refused; does a firewall or a missing proxy stand in the way?",
    Outcome.TLS_ERROR: "no TLS connection succeeds; does something on this network intercept HTTPS?",
    Outcome.REFUSED_PRIVATE_ADDRESS: (
        "every name leads to a private address; the DNS resolver answers for a captive portal or a filter"
    ),
    Outcome.BLOCKED: "every site blocks this crawl; slow down, set a contact URL, or use another address",
    Outcome.HTTP_ERROR: "every site answers with an error; does a proxy on this network stand in the way?",
    Outcome.INTERNAL_ERROR: "the crawler itself fails on every site; the log names the error",
}


@dataclass(frozen=True, slots=True)
class Signs:
    """What one record says about the crawl."""

    outcome: Outcome
    wall: str = ""
    """Whose wall blocked it, or with which status it was blocked; empty when it was not."""
    address: str = ""
    """Where it was asked."""
    robots_unreachable: bool = False
    """The site's robots.txt answered with an error, so that nothing of it may be read."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Targets that were asked for something, counted by what they say about the crawl."""

    sites: int = 0
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    walls: Mapping[str, int] = field(default_factory=dict)
    robots_unreachable: int = 0
    timeouts_at: Mapping[str, int] = field(default_factory=dict)
    """Address to its sites that did not answer in time."""
    sites_at: Mapping[str, int] = field(default_factory=dict)
    """Address to all its sites."""

    def share(self, count: int) -> float:
        return count / self.sites if self.sites else 0.0


@dataclass(frozen=True, slots=True)
class Vitals:
    """The running counters of one run of a crawl at one moment."""

    recent: Tally = Tally()
    """The last RECENT targets."""
    before: Tally = Tally()
    """Those of this run before them."""
    per_minute: Sequence[int] = ()
    """Targets done in each whole minute of this run, the oldest first."""
    is_ending: bool = False
    """The whole list is handed out: only the slowest sites are left."""
    left: int | None = None
    """Targets without a record; None when the list's length is not known."""
    disk_free_bytes: int | None = None
    """Where the database is; None when nobody can tell."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong, and what to do about it."""

    kind: str
    severity: float
    """0..1, to tell whether it got worse."""
    text: str


def signs_of(record: Record) -> Signs:
    is_wall = record.outcome is Outcome.BLOCKED and record.detail != "login wall"
    return Signs(
        outcome=record.outcome,
        wall=vendor_of(record.detail.removeprefix(ROBOTS_TXT)) if is_wall else "",
        address=record.address,
        robots_unreachable=any(ROBOTS_UNREACHABLE in page.flags for page in record.pages),
    )


def troubles(vitals: Vitals) -> list[Trouble]:
    """Everything that is wrong now, the most telling first; empty while all is well or it is too early."""
    same = _same_failure(vitals.recent)
    # One cause behind every failure is one warning: its parts would only repeat it.
    of_sites = (
        [same] if same else [check(vitals) for check in (_wall, _timeouts, _address, _robots, _refused)]
    )
    return [found for found in (*of_sites, _slow(vitals), _disk(vitals)) if found is not None]


def untold(found: Sequence[Trouble], told: Mapping[str, float]) -> list[Trouble]:
    """Of the troubles, those that are new or clearly worse; `told` is kind to the severity last told."""
    return [trouble for trouble in found if trouble.severity >= told.get(trouble.kind, -1.0) + WORSE_BY]


def _same_failure(recent: Tally) -> Trouble | None:
    """(Nearly) all sites fail in the same way, which is rarely the sites' doing."""
    if recent.sites < SAME_FAILURE_SITES:
        return None
    outcome, count = max(sorted(recent.outcomes.items()), key=lambda item: item[1])
    if outcome not in _SAME_FAILURE or count < SAME_FAILURE_SHARE * recent.sites:
        return None
    text = f"{count:,} of the last {recent.sites:,} sites ended as {outcome}: {_SAME_FAILURE[outcome]}"
    return Trouble(f"all_{outcome}", recent.share(count), text)


def _wall(vitals: Vitals) -> Trouble | None:
    wall, _ = max(sorted(vitals.recent.walls.items()), key=lambda item: item[1], default=("", 0))
    return _rise(
        vitals,
        "wall",
        lambda tally: tally.walls.get(wall, 0),
        WALL_SHARE,
        f"{{sites}} block this crawl in the same way ({wall}){{was}}: stop it (Ctrl-C), and run the same command "
        "later with --workers 1 and a smaller --concurrency, with --contact, or from another address; sites that "
        "blocked it have their record, and only the next crawl asks them again",
    )


def _timeouts(vitals: Vitals) -> Trouble | None:
    return _rise(
        vitals,
        "timeouts",
        lambda tally: tally.outcomes.get(Outcome.TIMEOUT, 0),
        TIMEOUT_SHARE,
        "{sites} time out{was}: this machine's own network may be overloaded or down; check it, then go on with "
        "a smaller --concurrency or a longer --timeout",
    )


def _address(vitals: Vitals) -> Trouble | None:
    """One server with many sites has had enough, while the rest of the web answers."""
    recent = vitals.recent
    address, count = max(sorted(recent.timeouts_at.items()), key=lambda item: item[1], default=("", 0))
    if count < ADDRESS_SITES or count < ADDRESS_SHARE * recent.sites_at[address]:
        return None
    return Trouble(
        "address",
        recent.share(count),
        f"{count:,} of the last {recent.sites_at[address]:,} sites at {address} time out: either that server has "
        "had enough of this crawl, or all names lead to it because of this machine's own network; "
        "a smaller --concurrency and --workers 1 ask it for less",
    )


def _robots(vitals: Vitals) -> Trouble | None:
    return _rise(
        vitals,
        "robots_unreachable",
        lambda tally: tally.robots_unreachable,
        ROBOTS_SHARE,
        "robots.txt of {sites} answers with an error, so nothing of them may be read: too many requests to one "
        "host or through one proxy look like this; lower --concurrency",
    )


def _refused(vitals: Vitals) -> Trouble | None:
    return _rise(
        vitals,
        "robots_disallowed",
        lambda tally: tally.outcomes.get(Outcome.ROBOTS_DISALLOWED, 0),
        ROBOTS_SHARE,
        "robots.txt of {sites} asks this crawl to stay out: is the list of one host that wants no robots, or is "
        "the name in --user-agent on a blocklist?",
    )


def _slow(vitals: Vitals) -> Trouble | None:
    minutes = vitals.per_minute
    if vitals.is_ending or len(minutes) < USUAL_MINUTES + SLOW_MINUTES:
        return None
    now, usual = median(minutes[-SLOW_MINUTES:]), median(minutes[:-SLOW_MINUTES])
    if now >= SLOW_SHARE * usual:
        return None
    return Trouble(
        "slow",
        1 - now / usual,
        f"{now:,.0f} sites a minute for the last {SLOW_MINUTES} minutes, {usual:,.0f} before: look at the network "
        "and at what else this machine does; Ctrl-C and the same command again lose nothing",
    )


def _disk(vitals: Vitals) -> Trouble | None:
    if vitals.disk_free_bytes is None:
        return None
    needed = (vitals.left or 0) * RECORD_BYTES
    if vitals.disk_free_bytes >= needed + RESERVE_BYTES:
        return None
    rest = f", and the rest of the list needs about {_size(needed)}" if needed else ""
    return Trouble(
        "disk",
        1 - vitals.disk_free_bytes / (needed + RESERVE_BYTES),
        f"{_size(vitals.disk_free_bytes)} are free on the database's disk{rest}: free some space now; "
        "a crawl that stops on a full disk loses nothing and goes on with the same command",
    )


def _rise(
    vitals: Vitals, kind: str, count_in: Callable[[Tally], int], at_least: float, text: str
) -> Trouble | None:
    """A trouble when many of the recent targets count, and many more than earlier in this run.

    In its text `{sites}` becomes how many do, and `{was}` how many did before.
    """
    recent, before = vitals.recent, vitals.before
    count = count_in(recent)
    share, earlier = recent.share(count), before.share(count_in(before))
    if recent.sites < SOME or share < at_least or share < RISE * earlier:
        return None
    sites = f"{count:,} of the last {recent.sites:,} sites"
    was = f", {earlier:.0%} before" if before.sites >= SOME else ""
    # Not `format`: a wall's name may have braces of its own.
    return Trouble(kind, share, text.replace("{sites}", sites).replace("{was}", was))


def _size(size_bytes: float) -> str:
    """Bytes as people say them.

    >>> _size(2_400_000_000), _size(310_000_000)
    ('2.4 GB', '310 MB')
    """
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"
