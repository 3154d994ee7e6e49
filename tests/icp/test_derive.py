from __future__ import annotations

import datetime
from dataclasses import replace

from icp.derive import derive
from icp.profile import load_profile
from icp.proposal import proposal
from tests.icp.world import NOW, record, taxonomy

TAXONOMY = taxonomy()


def sites(count: int, *techs: str, unknown=(), start: int = 0):
    return [record(*techs, unknown=unknown, domain=f"s{start + i}.com") for i in range(count)]


def found(best, worst, **options):
    return derive(best, worst, taxonomy=TAXONOMY, now=NOW, **options)


def test_what_the_best_have_and_lack_is_selected():
    result = found(
        sites(14, "shopify", "klaviyo") + sites(6, "shopify", "judge-me"),
        sites(4, "shopify", "klaviyo") + sites(16, "shopify", "judge-me"),
    )

    traits = {trait.name: trait for trait in result.traits}
    lacks = traits["lacks_category reviews"]
    assert (lacks.counts.best_with, lacks.counts.best, lacks.counts.worst_with, lacks.counts.worst) == (
        14,
        20,
        4,
        20,
    )
    assert (round(lacks.p, 4), round(lacks.lower, 2), lacks.points) == (0.0036, 1.11, 9)
    assert [trait.name for trait in result.selected] == ["has_category email_marketing"]
    # Here the shops with Klaviyo are exactly those without reviews: one trait, not two.
    assert lacks.same_as == "has_category email_marketing"


def test_unknown_is_counted_apart_and_never_as_lacking():
    result = found(
        sites(12, "klaviyo") + sites(8, unknown=["email_marketing"]),
        sites(12) + sites(8, unknown=["email_marketing"]),
    )

    [trait] = [t for t in result.traits if t.slug == "email_marketing"]
    assert (trait.counts.best, trait.counts.worst) == (12, 12)
    assert (trait.counts.best_unknown, trait.counts.worst_unknown) == (8, 8)


def test_technologies_are_tested_only_inside_categories_that_pass():
    result = found(
        sites(15, "klaviyo", "bazaarvoice") + sites(5, "powerreviews"),
        sites(3, "klaviyo", "powerreviews") + sites(17, "bazaarvoice"),
    )

    assert {t.category for t in result.traits if not t.is_category} == {"email_marketing"}


def test_technology_and_its_category_are_one_trait():
    result = found(sites(16, "klaviyo") + sites(4), sites(4, "klaviyo") + sites(16))

    assert [trait.name for trait in result.selected] == ["has_category email_marketing"]
    assert {t.name: t.same_as for t in result.traits}["tech_any klaviyo"] == "has_category email_marketing"


def test_thin_support_is_not_tested():
    result = found(sites(4, "klaviyo") + sites(16), sites(20))

    assert (result.tested, result.traits) == (0, ())


def test_equal_classes_give_nothing():
    assert found(sites(10, "klaviyo") + sites(10), sites(10, "klaviyo") + sites(10)).selected == ()


def test_stability_is_the_share_of_accounts_that_may_be_left_out():
    strong = found(sites(30, "klaviyo"), sites(30)).selected[0]
    brittle = found(
        sites(5, "klaviyo", "hotjar") + sites(5, "klaviyo") + sites(5, "hotjar") + sites(4),
        sites(4, "klaviyo", "hotjar") + sites(6, "hotjar") + sites(10),
    ).selected[0]

    assert strong.stability == 1.0
    # 10/19 v 4/20 holds without one of the 9 or of the 4, and falls without one of the 10 or of the 16.
    assert (brittle.name, round(brittle.p, 4)) == ("has_category email_marketing", 0.0484)
    assert brittle.stability == (9 + 4) / 39


def test_our_own_product_and_its_category_are_left_out():
    result = found(sites(12, "klaviyo"), sites(12), ours={"klaviyo"})

    assert (result.traits, result.warnings) == ((), ())


def test_perfect_split_is_suspicious():
    result = found(sites(12, "klaviyo"), sites(12), ours={"pixlee"})

    assert result.warnings == (
        "has_category email_marketing: every best and no worst account; does it come with your own product?",
    )


def test_unknown_that_differs_between_the_classes_is_reported():
    result = found(sites(14, "klaviyo"), sites(8) + sites(12, unknown=["email_marketing"]), ours={"pixlee"})

    assert result.warnings[1] == (
        "has_category email_marketing: unknown far more often for the worst; readability may be the finding"
    )


def test_universe_says_how_common_a_trait_is():
    universe = sites(1, "klaviyo") + sites(3) + sites(5, unknown=["email_marketing"])

    assert found(sites(12, "klaviyo"), sites(12), universe=universe).selected[0].universe == 0.25


def test_proposal_is_a_profile_that_loads(tmp_path):
    result = found(
        sites(14, "shopify", "klaviyo", "judge-me") + sites(6, "shopify"),
        sites(18, "woocommerce") + sites(2, "shopify", "klaviyo"),
    )
    result = replace(
        result, traits=tuple(replace(trait, selected=trait.points > 0) for trait in result.traits)
    )
    path = tmp_path / "proposal.yaml"
    path.write_text(proposal(result, "won-2026", datetime.date(2026, 10, 2)))

    profile = load_profile(path, TAXONOMY)

    assert (profile.name, profile.status, profile.warnings) == ("won-2026", "hypothesis", ())
    assert len(profile.criteria) == len(result.selected) >= 3
    assert "from 20 best and 20 worst accounts." in path.read_text()
