"""What must hold for every profile and every account, whatever their numbers (docs/scoring.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from icp.account import Account
from icp.criteria import Criterion, Disqualifier, Gates, Penalty, Profile
from icp.model import Result, Score, Tier
from icp.predicates import AnyOf, CountCategories, HasCategory, LacksCategory, TechAny
from icp.score import score_record
from icp.verdict import Verdict
from tests.icp.world import MATURITY, NOW, TECHNOLOGIES, record, taxonomy

TAXONOMY = taxonomy()
SHOPS = ("shopify-plus", "shopify", "bigcommerce")
CATEGORIES = tuple(category for category in TECHNOLOGIES if category != "crm_visible")

points = st.decimals(min_value="0.1", max_value=50, places=1)
categories = st.sampled_from(CATEGORIES)
predicates = st.one_of(
    categories.map(HasCategory),
    categories.map(LacksCategory),
    st.builds(CountCategories, of=st.just(MATURITY), at_least=st.integers(1, 6), graded=st.booleans()),
    st.builds(
        lambda degrees: TechAny(tuple(zip(SHOPS, degrees, strict=True))),
        st.lists(st.decimals("0.1", 1, places=2), min_size=3, max_size=3),
    ),
    st.lists(categories.map(HasCategory), min_size=1, max_size=3).map(lambda parts: AnyOf(tuple(parts))),
)


@st.composite
def profiles(draw):
    worth = draw(
        st.lists(st.tuples(points, predicates, st.booleans(), st.booleans()), min_size=1, max_size=6)
    )
    criteria = [
        Criterion(f"T{i}", "technographic", p, predicate, must_have=must, critical=critical)
        for i, (p, predicate, must, critical) in enumerate(worth)
    ]
    penalties = [
        Penalty(f"P{i}", m, HasCategory(c))
        for i, (m, c) in enumerate(draw(st.lists(st.tuples(points, categories), max_size=2)))
    ]
    disqualifiers = [
        Disqualifier(f"D{i}", HasCategory(c)) for i, c in enumerate(draw(st.lists(categories, max_size=1)))
    ]
    gates = Gates(min_coverage=draw(st.decimals(0, 1, places=2)))
    return Profile(
        "any", 1, tuple(criteria), gates=gates, penalties=tuple(penalties), disqualifiers=tuple(disqualifiers)
    )


@st.composite
def sites(draw):
    """Which categories are present (by their first technology), absent or unknown."""
    return {category: draw(st.sampled_from(("present", "absent", "unknown"))) for category in CATEGORIES}


def site(states):
    techs = [TECHNOLOGIES[c][0][0] for c, state in states.items() if state == "present"]
    return record(*techs, unknown=[c for c, state in states.items() if state == "unknown"])


def score(profile: Profile, states) -> Score:
    return score_record(
        site(states), profile, facts=None, basis=("technographic",), taxonomy=TAXONOMY, now=NOW
    )


@dataclass(frozen=True)
class Always:
    degree: Decimal

    def judge(self, account: Account) -> Verdict:
        return Verdict(self.degree, "always")


def with_degree(profile: Profile, criterion: str, degree: Decimal) -> Profile:
    """The profile with one criterion judged the same for everybody."""
    changed = (replace(c, predicate=Always(degree)) if c.id == criterion else c for c in profile.criteria)
    return replace(profile, criteria=tuple(changed))


def comparable(found: Score):
    return found.score, found.tier, found.raw, found.raw_low, found.raw_high, found.coverage


@given(profiles(), sites(), st.randoms())
def test_order_of_criteria_does_not_matter(profile, states, random):
    shuffled = list(profile.criteria)
    random.shuffle(shuffled)

    assert comparable(score(replace(profile, criteria=tuple(shuffled)), states)) == comparable(
        score(profile, states)
    )


@given(profiles(), sites())
def test_raw_lies_inside_its_interval(profile, states):
    found = score(profile, states)

    assert 0 <= found.raw_low <= found.raw_high <= 100
    assert found.raw is None or found.raw_low <= found.raw <= found.raw_high


@given(profiles(), sites(), st.decimals(0, 1, places=2), st.data())
def test_resolving_an_unknown_criterion_nests_the_interval(profile, states, degree, data):
    before = score(profile, states)
    unknown = [line.id for line in before.lines if line.section == "criteria" and line.degree is None]
    if not unknown:
        return
    after = score(with_degree(profile, data.draw(st.sampled_from(unknown)), degree), states)

    assert before.raw_low <= after.raw_low
    assert after.raw_high <= before.raw_high


@given(profiles(), sites(), st.data())
def test_meeting_one_more_criterion_never_lowers_the_score(profile, states, data):
    failed = [
        line.id for line in score(profile, states).lines if line.section == "criteria" and line.degree == 0
    ]
    if not failed:
        return
    before = score(profile, states)
    after = score(with_degree(profile, data.draw(st.sampled_from(failed)), Decimal(1)), states)

    assert (after.score is None) == (before.score is None)
    assert after.score is None or after.score >= before.score
    assert after.raw_low >= before.raw_low


@given(profiles(), sites(), st.sampled_from([Decimal(2), Decimal("0.5"), Decimal(10)]))
def test_scaling_all_points_changes_nothing(profile, states, factor):
    scaled = tuple(replace(c, points=c.points * factor) for c in profile.criteria)

    assert comparable(score(replace(profile, criteria=scaled), states)) == comparable(score(profile, states))


@given(profiles(), sites())
def test_score_follows_from_its_lines_alone(profile, states):
    found = score(profile, states)
    roles = {c.id: c for c in profile.criteria}
    lines = [line for line in found.lines if line.section == "criteria"]
    known = [line for line in lines if line.result is not Result.UNKNOWN]
    earned, most = (
        sum(Decimal(str(getattr(line, name))) for line in known) for name in ("points_earned", "points_max")
    )
    minus = -sum(Decimal(str(line.points_earned)) for line in found.lines if line.section == "penalties")
    s = max(Decimal(0), (100 * earned / most).quantize(Decimal("1e-9")) - minus) if most else None
    for line in lines:
        if (
            line.result is Result.UNKNOWN
            and (roles[line.id].must_have or roles[line.id].critical)
            and s is not None
        ):
            s = min(s, profile.gates.unknown_cap)
        if line.degree == 0 and roles[line.id].must_have:
            s = min(s, profile.gates.must_have_cap)

    if any(line.section == "disqualifiers" and line.result is Result.MET for line in found.lines):
        assert (found.score, found.tier) == (0, Tier.X)
    elif s is None or Decimal(str(found.coverage)) < profile.gates.min_coverage:
        assert (found.score, found.tier) == (None, Tier.U)
    else:
        assert found.score == int(s.quantize(Decimal(1), ROUND_HALF_UP))
        assert found.tier is profile.tiers.of(found.score)
