from __future__ import annotations

from collections import Counter

import pytest

from icp.backtest import Backtest, Group, backtest
from icp.model import Tier
from icp.profile import load_profile
from icp.report import headline
from icp.score import score_record
from tests.icp.world import DTC_REVIEWS, MATURE, NOW, blocked, record, taxonomy

TAXONOMY = taxonomy()
PROFILE = load_profile(DTC_REVIEWS, TAXONOMY)


def score(site, profile):
    return score_record(site, profile, facts=None, basis=("technographic",), taxonomy=TAXONOMY, now=NOW)


def group(high: int, scored: int, name: str = "best") -> Group:
    return Group(name, scored, Counter({Tier.A: high, Tier.D: scored - high}), high)


@pytest.mark.parametrize(
    ("high", "scored", "verdict"),
    [
        (15, 20, "inside 70-85 but inconclusive"),
        (154, 200, "inside 70-85"),
        (70, 100, "inside 70-85 but inconclusive"),
        (10, 20, "below 70 but inconclusive"),
        (20, 100, "below 70: misaligned"),
        (19, 20, "above 85 but inconclusive"),
        (99, 100, "above 85: too broad"),
        (0, 0, "nothing to judge: no best account has a score"),
    ],
)
def test_verdict_admits_when_the_list_is_too_short(high, scored, verdict):
    assert Backtest(group(high, scored), group(0, 1), None, None, ()).verdict == verdict


def test_headline_as_worked_out():
    result = Backtest(group(15, 20), group(3, 15, "worst"), group(61, 1000, "universe"), 0.9, ())

    assert headline(result) == (
        "high-fit best 15/20 75% (Wilson 53-89) -> inside 70-85 but inconclusive; worst 3/15 20%; "
        "universe 6.1%; lift 12.3"
    )


def test_accounts_without_a_score_are_counted_apart():
    best = [record("shopify-plus", *MATURE), blocked("b.com")]

    result = backtest(PROFILE, best, [], listed=(3, 0), score=score)

    assert (result.best.high, result.best.scored, result.best.unscored) == (1, 1, 2)
    assert (result.worst.rate, result.auc, result.universe, result.lift) == (None, None, None, None)


def test_each_criterion_shows_what_the_profile_is_without_it():
    best = [record("shopify-plus", *MATURE)] * 4
    worst = [record("shopify-plus", "judge-me", *MATURE)] * 4

    result = backtest(PROFILE, best, worst, listed=(4, 4), score=score, universe=[*best, *worst])

    works = {work.id: work for work in result.works}
    assert result.works[0].id == "T2"
    assert (works["T2"].best_met, works["T2"].worst_met, works["T2"].auc_change) == (4, 0, 0.5)
    assert (works["T2"].best_rate_without, works["T2"].worst_rate_without) == (1.0, 1.0)
    assert works["T1"].auc_change == 0.0
    assert not works["F1"].is_known
    assert (result.auc, result.precision, result.lift) == (1.0, 1.0, 2.0)
