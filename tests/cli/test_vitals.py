from __future__ import annotations

from cli.vitals import Pulse
from crawler.troubles import RECENT, Signs, Vitals
from fingerprints.model import Outcome

BEGAN_S = 1_000.0


def read(pulse: Pulse, now_s: float) -> Vitals:
    return pulse.vitals(now_s, is_ending=False, left=None, disk_free_bytes=None)


def test_only_the_last_targets_count_as_recent():
    pulse = Pulse(BEGAN_S)
    for _ in range(50):
        pulse.add(Signs(Outcome.BLOCKED, "Cloudflare"), BEGAN_S)
    for _ in range(RECENT):
        pulse.add(Signs(Outcome.OK), BEGAN_S)
    vitals = read(pulse, BEGAN_S)
    assert (vitals.recent.sites, vitals.recent.outcomes, vitals.recent.walls) == (
        RECENT,
        {Outcome.OK: RECENT},
        {},
    )
    assert (vitals.before.sites, vitals.before.walls) == (50, {"Cloudflare": 50})


def test_minutes_in_which_nothing_comes_count_and_the_running_one_does_not():
    pulse = Pulse(BEGAN_S)
    for second in (0, 30, 59, 61):
        pulse.add(Signs(Outcome.OK), BEGAN_S + second)
    assert read(pulse, BEGAN_S + 100).per_minute == (3,)
    assert read(pulse, BEGAN_S + 300).per_minute == (3, 1, 0, 0, 0)


def test_targets_nobody_was_asked_about_say_nothing():
    pulse = Pulse(BEGAN_S)
    pulse.add(Signs(Outcome.SUPPRESSED), BEGAN_S)
    assert read(pulse, BEGAN_S).recent.sites == 0
