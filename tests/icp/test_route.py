from __future__ import annotations

from dataclasses import replace

import pytest

from icp.model import Flip, Result, Score, ScoreLine, Tier
from icp.route import decisive, route_of, why_routed

SCORE = Score(
    domain="acme.com",
    icp="reviews",
    icp_version=1,
    score=90,
    tier=Tier.A,
    raw=90.0,
    raw_low=80.0,
    raw_high=95.0,
    coverage=0.9,
    timing=None,
    qualified_now=False,
    provisional=False,
)


def line(id: str, result: Result, points: float = 0.0, section: str = "criteria", earned: float = 0.0):
    return ScoreLine(id, section, "technographic", result, None, points, earned, f"{id} reason")


@pytest.mark.parametrize(
    ("tier", "provisional", "review", "route"),
    [
        (Tier.A, False, (), "sdr"),
        (Tier.B, False, (), "sdr"),
        (Tier.A, True, (), "review"),
        (Tier.B, True, (), "review"),
        (Tier.A, False, ("D1",), "review"),
        (Tier.U, False, (), "review"),
        (Tier.U, True, ("D1",), "review"),
        (Tier.C, False, (), "nurture"),
        (Tier.C, True, ("D1",), "nurture"),
        (Tier.D, False, ("D1",), "reject"),
        (Tier.X, False, (), "reject"),
    ],
)
def test_tier_and_what_is_open_decide_the_route(tier, provisional, review, route):
    assert route_of(replace(SCORE, tier=tier, provisional=provisional, review=review)) == route


def test_most_welcoming_route_wins_then_the_highest_score():
    held = replace(SCORE, icp="held", score=99, provisional=True)
    lower = replace(SCORE, icp="lower", tier=Tier.B, score=61)
    assert decisive([held, lower]).icp == "lower"
    assert decisive([lower, SCORE]).icp == "reviews"
    assert decisive([replace(held, tier=Tier.U, score=None), replace(held, tier=Tier.C)]).tier is Tier.U


@pytest.mark.parametrize(
    ("score", "reasons"),
    [
        (
            replace(
                SCORE, lines=(line("T1", Result.MET, 20, earned=20), line("T2", Result.MET, 25, earned=25))
            ),
            ["T2 T2 reason", "T1 T1 reason"],
        ),
        (
            replace(
                SCORE,
                provisional=True,
                review=("D1",),
                caps=("T2 critical unknown: 79 (provisional)",),
                lines=(line("D1", Result.UNKNOWN, section="disqualifiers"),),
                flips=(Flip("T2", "reviews present", 58, Tier.C),),
            ),
            ["T2 critical unknown: 79 (provisional)", "D1 D1 reason", "if T2 reviews present -> 58 C"],
        ),
        (
            replace(
                SCORE,
                tier=Tier.U,
                score=None,
                coverage=0.25,
                lines=(line("T1", Result.UNKNOWN, 20), line("F1", Result.MET, 5, earned=5)),
            ),
            ["only 25% of the points are known", "T1 T1 reason"],
        ),
        (
            replace(
                SCORE,
                tier=Tier.D,
                caps=("T1 must_have not met: 39",),
                lines=(
                    line("F1", Result.NOT_MET, 5),
                    line("T1", Result.NOT_MET, 20),
                    line("P1", Result.MET, 10, "penalties", -10),
                    line("T2", Result.UNKNOWN, 25),
                    line("T3", Result.MET, 15, earned=15),
                ),
            ),
            ["T1 must_have not met: 39", "T1 T1 reason", "P1 P1 reason", "F1 F1 reason"],
        ),
        (
            replace(
                SCORE,
                tier=Tier.X,
                score=0,
                disqualified_by=("D1",),
                lines=(
                    line("D1", Result.MET, section="disqualifiers"),
                    line("D2", Result.NOT_MET, section="disqualifiers"),
                ),
            ),
            ["D1 D1 reason"],
        ),
    ],
    ids=["sdr", "review", "unknown", "rejected", "disqualified"],
)
def test_route_comes_with_what_decided_it(score, reasons):
    assert why_routed(score) == reasons
