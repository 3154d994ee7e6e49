from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fingerprints.model import Outcome
from icp.model import Tier
from store.names import names_of
from store.parser import parse
from store.query import (
    And,
    Category,
    Domain,
    Not,
    Or,
    OutcomeIs,
    Platform,
    ScoreIs,
    Technology,
    TierIs,
    Unknown,
    Version,
)
from store.terms import QueryError
from tests.store.records import taxonomy

NAMES = names_of(taxonomy())
SHOPIFY = NAMES.technologies["shopify"]
KLAVIYO = NAMES.technologies["klaviyo"]
GOOGLE_ANALYTICS = NAMES.technologies["google-analytics"]
WORDPRESS = NAMES.technologies["wordpress"]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("tech:shopify", Technology(SHOPIFY)),
        ("tech:Shopify", Technology(SHOPIFY)),
        ("tech:ga4", Technology(GOOGLE_ANALYTICS)),
        ('tech:"Google Analytics"', Technology(GOOGLE_ANALYTICS)),
        ("tech:google_analytics", Technology(GOOGLE_ANALYTICS)),
        ("category:reviews", Category("reviews")),
        ("category:email-marketing", Category("email_marketing")),
        ("lacks:reviews", Not(Category("reviews"))),
        ("unknown:reviews", Unknown("reviews")),
        ("platform:shopify", Platform(SHOPIFY)),
        ("version:wordpress<6.5", Version(WORDPRESS, "<", "6.5")),
        ("version:wordpress=6", Version(WORDPRESS, "=", "6")),
        ("outcome:parked", OutcomeIs(Outcome.PARKED)),
        ("tier:a", TierIs(Tier.A)),
        ("score>=60", ScoreIs(">=", 60)),
        ("score >= 60", ScoreIs(">=", 60)),
        ("score:60", ScoreIs("=", 60)),
        ("domain:*.DE", Domain("*.de")),
        ("tech:shopify,klaviyo", Or((Technology(SHOPIFY), Technology(KLAVIYO)))),
        ("tech:shopify AND tech:klaviyo", And((Technology(SHOPIFY), Technology(KLAVIYO)))),
        ("tech:shopify tech:klaviyo", And((Technology(SHOPIFY), Technology(KLAVIYO)))),
        ("tech:shopify or tech:klaviyo", Or((Technology(SHOPIFY), Technology(KLAVIYO)))),
        ("NOT tech:shopify tech:klaviyo", And((Not(Technology(SHOPIFY)), Technology(KLAVIYO)))),
        (
            "tech:shopify tier:A OR tier:B",
            Or((And((Technology(SHOPIFY), TierIs(Tier.A))), TierIs(Tier.B))),
        ),
        (
            "tech:shopify (tier:A OR tier:B)",
            And((Technology(SHOPIFY), Or((TierIs(Tier.A), TierIs(Tier.B))))),
        ),
        ("NOT(NOT(tier:A))", Not(Not(TierIs(Tier.A)))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_query_is_read_as(text, tree):
    assert parse(text, NAMES) == tree


TERMS = (
    "terms are tech:, category:, lacks:, unknown:, platform:, version:, outcome:, tier:, domain: and score>="
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"query, column 1: the query is empty; {TERMS}"),
        ("tech:shopfy", "query, column 6: unknown technology 'shopfy'; did you mean 'shopify'?"),
        (
            "tech:shopify,klavyio",
            "query, column 14: unknown technology 'klavyio'; did you mean 'klaviyo'?",
        ),
        (
            'tech:"gogle analytics"',
            "query, column 7: unknown technology 'gogle analytics'; did you mean 'google-analytics'?",
        ),
        (
            "tech:zzz",
            "query, column 6: unknown technology 'zzz'; `technograph rules list` shows them all",
        ),
        (
            "tech:reviews",
            (
                "query, column 6: 'reviews' is a category, not a technology;"
                " write category:reviews or lacks:reviews"
            ),
        ),
        (
            "tier:A lacks:revews",
            "query, column 14: unknown category 'revews'; did you mean 'reviews'?",
        ),
        (
            "lacks:klaviyo",
            "query, column 7: 'klaviyo' is a technology, not a category; its category is 'email_marketing'",
        ),
        (
            "lacks:zzz",
            (
                "query, column 7: unknown category 'zzz'; it is one of cms, ecommerce_platform,"
                " email_marketing, reviews, web_analytics"
            ),
        ),
        (
            "lacks:reviews,cms",
            "query, column 7: lacks: takes one category; write lacks:... AND lacks:..., or OR",
        ),
        ("platform:klaviyo", "query, column 10: 'klaviyo' is not a platform; write tech:klaviyo"),
        (
            "version:wordpress",
            "query, column 9: version: takes a technology and a version, as version:wordpress<6",
        ),
        ("outcome:parkt", "query, column 9: unknown outcome 'parkt'; did you mean 'parked'?"),
        ("tier:Q", "query, column 6: unknown tier 'Q'; it is one of A, B, C, D, U, X"),
        ("score>=high", "query, column 8: score takes a number from 0 to 100, not 'high'"),
        ("tech>=shopify", "query, column 7: tech: takes ':', not '>='"),
        ("lakcs:reviews", "query, column 1: unknown term 'lakcs'; did you mean 'lacks'?"),
        ("http://acme.com", f"query, column 1: unknown term 'http'; {TERMS}"),
        ("tech:,", "query, column 6: tech: needs a value"),
        ("tech:", "query, column 1: 'tech:' needs a value"),
        ("shopify", "query, column 1: 'shopify' is not a term; write tech:shopify"),
        ("reviews", "query, column 1: 'reviews' is not a term; write category:reviews or lacks:reviews"),
        ("acme.com", f"query, column 1: 'acme.com' is not a term; {TERMS}"),
        ("tier:A AND", f"query, column 11: a term is missing; {TERMS}"),
        ("OR tier:A", f"query, column 1: a term is missing; {TERMS}"),
        ("tier:A AND OR tier:B", f"query, column 12: a term is missing; {TERMS}"),
        ("()", f"query, column 2: a term is missing; {TERMS}"),
        ("(tier:A", "query, column 8: ')' is missing"),
        ("tier:A)", "query, column 7: ')' without '('"),
        ("(" * 99 + "tier:A" + ")" * 99, "query, column 10: nested more than 8 deep"),
        ("tier:A " * 201, "query, column 1: the query has more than 200 terms"),
    ],
    ids=lambda value: value[:24],
)
def test_mistake_is_named_with_its_place_and_a_remedy(text, message):
    with pytest.raises(QueryError) as caught:
        parse(text, NAMES)
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


@given(st.text(alphabet='techlaks:shopify()ANDORNOT"<>=, \n\0é', max_size=80))
def test_any_text_is_a_query_or_a_mistake_with_a_place(text):
    with suppress(QueryError):
        parse(text, NAMES)
