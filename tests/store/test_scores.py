from __future__ import annotations

from dataclasses import replace

import pytest

from icp.model import Flip, Result, Score, ScoreLine, Tier
from tests.store.records import NOW, filled, site

SCORE = Score(
    domain="acme.com",
    icp="dtc-reviews",
    icp_version=3,
    score=79,
    tier=Tier.B,
    raw=100.0,
    raw_low=58.33,
    raw_high=100.0,
    coverage=0.583,
    timing=None,
    qualified_now=False,
    provisional=True,
    disqualified_by=("D1",),
    review=("D2",),
    caps=("T2 critical unknown: 79",),
    basis=("technographic",),
    lines=(
        ScoreLine("T1", "criteria", "technographic", Result.MET, 1.0, 20, 20.0, "Shopify 0.97", ("s#1 @ /",)),
        ScoreLine("T2", "criteria", "technographic", Result.UNKNOWN, None, 25, 0.0, "reviews unknown"),
    ),
    flips=(Flip("T2", "reviews absent", 100, Tier.A), Flip("T2", "reviews present", None, Tier.U)),
    scored_at=NOW,
    icp_status="hypothesis",
)


@pytest.fixture
def store(tmp_path):
    with filled(tmp_path / "t.db", [site("acme.com", "shopify")]) as opened:
        yield opened


def test_score_comes_back_exactly_with_its_lines(store):
    store.save_scores([SCORE])
    assert store.score("acme.com", "dtc-reviews") == SCORE


def test_new_score_replaces_the_old_one_and_all_of_its_lines(store):
    store.save_scores([SCORE])
    unscored = replace(SCORE, score=None, tier=Tier.U, lines=SCORE.lines[1:], flips=(), icp_version=4)
    store.save_scores([unscored])
    assert store.score("acme.com", "dtc-reviews") == unscored


def test_each_profile_keeps_its_own_score(store):
    other = replace(SCORE, icp="b2b-saas", scored_at="2026-11-23T00:00:00Z")
    store.save_scores([SCORE, other])
    assert store.score("acme.com", "dtc-reviews") == SCORE
    assert store.score("acme.com", "b2b-saas") == other
    assert store.profiles() == ["b2b-saas", "dtc-reviews"]


def test_account_without_a_record_is_passed_over(store):
    store.save_scores([replace(SCORE, domain="nobody.com")])
    assert store.score("nobody.com", "dtc-reviews") is None
    assert store.profiles() == []
