from __future__ import annotations

from dataclasses import replace

from icp.explain import explain_text
from icp.predicates import AnyOf
from icp.profile import load_profile
from icp.score import score_record
from tests.icp.world import DTC_REVIEWS, NOW, detection, record, taxonomy

TAXONOMY = taxonomy()
PROFILE = load_profile(DTC_REVIEWS, TAXONOMY)
WORKED = """\
acme.com  ICP dtc-reviews v3 (hypothesis)  score 82  tier A  coverage 0.92  interval 75-83  timing 0.00  qualified_now no
  partly   T1    16.0/20   BigCommerce 0.94 (degree 0.8)
           [bigcommerce#1 @ https://acme.com/ script]  cdn.bigcommerce.example/x.js
  met      T2    25.0/25   reviews absent: home, product read; GTM-AB12 parsed
  met      T3    15.0/15   4 of 6 categories: ads_pixels, web_analytics, tag_manager, email_marketing
  met      F1     7.0/7    industry online retail
  not met  F2     0.0/6    employees 730, wants 50-500
  unknown  F3       -/4    no revenue_usd value
  met      F4     4.0/4    region western-europe
  met      F5     4.0/4    business_model dtc
  not met  B1     0.0/7    trigger none, wants funding or hiring
  unknown  B2       -/4    no intent value
  met      B3     4.0/4    growth product-range
  penalties: none met
  caps: none
  disqualifiers: none met
  basis: technographic, firmographic, behavioural
  raw = 100*75.0/92 = 81.52 -> 82
  flips: F3 not met -> 78 B; B2 not met -> 78 B; both met -> 83 A"""  # noqa: E501 - the layout is the point

ALL_LAYERS = ("technographic", "firmographic", "behavioural")


def without_history(profile):
    """The profile with its change-event condition taken out: what is left can be known from facts alone."""
    b1 = next(c for c in profile.criteria if c.id == "B1")
    from_facts = replace(b1, predicate=AnyOf(b1.predicate.parts[1:]))
    return replace(profile, criteria=tuple(from_facts if c.id == "B1" else c for c in profile.criteria))


def test_worked_explanation():
    site = record(
        detection("bigcommerce", 0.94), "meta-pixel", "google-analytics-4", "google-tag-manager", "klaviyo"
    )
    facts = {
        "industry": "online retail",
        "employees": "730",
        "region": "western-europe",
        "business_model": "dtc",
        "trigger": "none",
        "growth": "product-range",
    }
    profile = without_history(PROFILE)

    score = score_record(site, profile, facts=facts, basis=ALL_LAYERS, taxonomy=TAXONOMY, now=NOW)

    assert explain_text(score, site) == WORKED


def explained(site, **facts):
    basis = ALL_LAYERS if facts else ("technographic",)
    score = score_record(site, PROFILE, facts=facts, basis=basis, taxonomy=TAXONOMY, now=NOW)
    return explain_text(score).splitlines()


def test_penalty_is_part_of_the_sum():
    lines = explained(record("shopify-plus", "adsense", "klaviyo", "hotjar", "meta-pixel"))

    assert "  penalties: P1 -10 (ad_monetization present: AdSense)" in lines
    assert "  raw = 100*60.0/60 = 100.00 -10 -> 90" in lines


def test_cap_is_named_where_it_decides():
    lines = explained(record("woocommerce", "adsense", "klaviyo", "hotjar", "meta-pixel"))

    assert "  caps: T1 must_have not met: 39" in lines
    assert "  raw = 100*40.0/60 = 66.67 -10, capped -> 39" in lines


def test_disqualified_account_names_what_ruled_it_out():
    lines = explained(record("wix-stores", "klaviyo"))

    assert "  disqualifiers: D1 (Wix Stores 0.95)" in lines
    assert lines[-1] == "  raw = 100*30.0/60 = 50.00 -> 0, disqualified by D1"


def test_hostile_excerpt_cannot_rewrite_the_terminal():
    evil = detection("shopify")
    site = record(replace(evil, evidence=(replace(evil.evidence[0], excerpt="\x1b[2J\u202egpj.exe\nx"),)))
    score = score_record(site, PROFILE, facts=None, basis=("technographic",), taxonomy=TAXONOMY, now=NOW)

    assert "script]  [2Jgpj.exe x" in explain_text(score, site)
