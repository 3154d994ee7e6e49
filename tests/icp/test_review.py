from __future__ import annotations

import pytest

from icp.derive import derive
from icp.model import Tier
from icp.profile import load_profile
from icp.review import additions, advise, migrate
from icp.score import score_record
from tests.icp.world import DTC_REVIEWS, MATURE, NOW, record, taxonomy

TAXONOMY = taxonomy()
PROFILE = load_profile(DTC_REVIEWS, TAXONOMY)

MINIMAL = """\
icp: shops
version: 1
criteria:
  - {id: T1, layer: technographic, points: 10, tech_any: [shopify]}
"""


def scores(sites, profile=PROFILE):
    return [
        score_record(site, profile, facts=None, basis=("technographic",), taxonomy=TAXONOMY, now=NOW)
        for site in sites
    ]


WON = [record("shopify", *MATURE)] * 14 + [record("shopify", "judge-me", *MATURE)] * 6
LOST = [record("shopify", *MATURE)] * 4 + [record("shopify", "judge-me", *MATURE)] * 16


def advice(won, lost, name):
    return next(item for item in advise(PROFILE, scores(won), scores(lost)) if item.id == name)


def test_criterion_that_the_won_meet_more_often_is_kept():
    found = advice(WON, LOST, "T2")

    assert (found.advice, found.why) == ("keep", "met more often by the won")
    assert found.lift == pytest.approx(3.5)


def test_criterion_that_the_lost_meet_more_often_is_dropped():
    assert advice(LOST, WON, "T2").advice == "drop"


def test_criterion_that_everybody_meets_is_dropped():
    found = advice(WON, LOST, "T1")

    assert (found.advice, found.why, found.p) == ("drop", "does not tell won from lost", 1.0)


@pytest.mark.parametrize(
    ("won", "lost", "name", "why"),
    [
        (WON[:4], LOST[:4], "T2", "only 8 known accounts"),
        (WON, LOST, "F1", "never known; bring the data or take the criterion out"),
    ],
)
def test_too_little_to_decide_on_is_said_so(won, lost, name, why):
    found = advice(won, lost, name)

    assert (found.advice, found.why) == ("wait", why)


def test_only_traits_that_no_criterion_looks_at_are_to_be_added(tmp_path):
    (tmp_path / "icp.yaml").write_text(MINIMAL)
    shops = load_profile(tmp_path / "icp.yaml", TAXONOMY)
    derivation = derive(WON, LOST, taxonomy=TAXONOMY, now=NOW)

    assert [trait.name for trait in additions(derivation, shops)] == ["lacks_category reviews"]
    assert additions(derivation, PROFILE) == []


def test_migration_counts_moves_and_breadth(tmp_path):
    (tmp_path / "icp.yaml").write_text(MINIMAL)
    shops = load_profile(tmp_path / "icp.yaml", TAXONOMY)
    sites = [*WON, *LOST]

    found = migrate(zip(scores(sites, shops), scores(sites), strict=True))

    assert found.moves == {(Tier.A, Tier.A): 18, (Tier.A, Tier.C): 22}
    assert (found.accounts, found.old_breadth, found.new_breadth) == (40, 1.0, 0.45)
