# ruff: noqa: E501, ISC004 - a table of messages reads best with one message a line
from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from icp.criteria import Gates, Tiers
from icp.predicates import Event, TechAny
from icp.profile import load_profile
from icp.reader import ProfileError
from tests.icp.world import DTC_REVIEWS, taxonomy

MINIMAL = """\
icp: shops
version: 1
criteria:
  - {id: T1, layer: technographic, points: 10, tech_any: [shopify]}
"""


def load(tmp_path, text: str | bytes):
    path = tmp_path / "icp.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_profile(path, taxonomy())


def errors(tmp_path, text: str | bytes) -> list[str]:
    """The messages of a refused file, without its folder."""
    with pytest.raises(ProfileError) as caught:
        load(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def with_predicate(predicate: str, *, section: str = "criteria") -> str:
    """The minimal file with one more entry, in line 5 or 6."""
    if section == "criteria":
        return f"{MINIMAL}  - {{id: T2, layer: technographic, points: 5, {predicate}}}\n"
    return (
        f"{MINIMAL}{section}:\n  - {{id: X1, {'minus: 5, ' if section == 'penalties' else ''}{predicate}}}\n"
    )


def test_worked_file_is_read_as_it_stands():
    profile = load_profile(DTC_REVIEWS, taxonomy())

    assert (profile.name, profile.version, profile.status) == ("dtc-reviews", 3, "hypothesis")
    assert profile.reviewed_on == date(2026, 9, 30)
    assert (profile.tiers, profile.gates) == (Tiers(80, 60, 40), Gates())
    assert [c.id for c in profile.criteria] == [
        "T1",
        "T2",
        "T3",
        "F1",
        "F2",
        "F3",
        "F4",
        "F5",
        "B1",
        "B2",
        "B3",
    ]
    assert sum(c.points for c in profile.criteria) == 100
    assert profile.criteria[0].predicate == TechAny(
        tuple(
            (slug, Decimal(degree))
            for slug, degree in (
                ("shopify-plus", "1.0"),
                ("adobe-commerce", "1.0"),
                ("salesforce-commerce-cloud", "1.0"),
                ("bigcommerce", "0.8"),
                ("shopify", "0.6"),
            )
        )
    )
    assert profile.criteria[8].predicate.parts[0] == Event("ecommerce_platform", ("switched", "added"), 180)
    assert profile.notes == {"committee": "Head of Ecommerce; CRM lead"}
    assert profile.warnings == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "icp.yaml: the file is empty; start from `technograph icp schema` or a file in data/icp"),
        ("- a\n", "icp.yaml:1: expected keys with values, not a list"),
        (b"\xff\xfeicp", "icp.yaml: not a UTF-8 text file; save it as UTF-8"),
        (b"icp: \x00", "icp.yaml: not a text file: unacceptable character #x0000: special characters are not allowed"),
        ("a: [1\nb: 2\n", "icp.yaml:2: not valid YAML: expected ',' or ']', but got ':'; check indentation, colons and quotes"),
        ("icp: a\n---\nicp: b\n", "icp.yaml:2: not valid YAML: but found another document; check indentation, colons and quotes"),
        (
            "icp: &a x\nversion: *a\n",
            "icp.yaml:2: not valid YAML: aliases (*name) are not used here; write the value out; "
            "check indentation, colons and quotes",
        ),
        (MINIMAL.replace("shops", "!!python/name:os.system x"), "icp.yaml:1: tag 'tag:yaml.org,2002:python/name:os.system' is not used here; remove it"),
        (MINIMAL.replace("version: 1\n", ""), "icp.yaml:1: key 'version' is missing; add it"),
        (MINIMAL + "version: 2\n", "icp.yaml:5: version: key given twice, first in line 2; keep one of them"),
        (
            MINIMAL + "critera: []\n",
            "icp.yaml:5: critera: unknown key; did you mean 'criteria'?; allowed: icp, version, status, reviewed_on, "
            "tiers, gates, facts, criteria, penalties, disqualifiers, notes",
        ),
        ("icp: a\nversion: 1\ncriteria: []\n", "icp.yaml:3: criteria: the list is empty; add at least one item or remove the key"),
        (MINIMAL.replace("shops", "Our Shops"), "icp.yaml:1: icp: 'Our Shops' is not a slug; use lower-case letters, digits and hyphens"),
        (MINIMAL.replace("shops", "no"), "icp.yaml:1: icp: YAML reads no as a yes/no value; write it in quotes: 'no'"),
        (MINIMAL.replace("version: 1", "version: '1'"), "icp.yaml:2: version: '1' is in quotes, so it is text; remove the quotes"),
        (MINIMAL.replace("version: 1", "version: 1.5"), "icp.yaml:2: version: 1.5 is not a whole number"),
        (MINIMAL.replace("version: 1", "version: 017"), "icp.yaml:2: version: '017' is not a number; write it as 25, 2.5 or 10_000_000"),
        (MINIMAL + "status: final\n", "icp.yaml:5: status: 'final' is not one of hypothesis, validated"),
        (MINIMAL + "reviewed_on: 30.9.2026\n", "icp.yaml:5: reviewed_on: '30.9.2026' is not a date; write it as 2026-09-30"),
        (
            MINIMAL + "tiers: {A: 60, B: 80, C: 40}\n",
            "icp.yaml:5: tiers: tiers out of order: A 60, B 80, C 40; each must be above the next",
        ),
        (MINIMAL + "tiers: {A: 101, B: 80, C: 40}\n", "icp.yaml:5: tiers.A: 101 is out of range; use 1 to 100"),
        (MINIMAL + "gates: {min_coverage: 50}\n", "icp.yaml:5: gates.min_coverage: 50 is out of range; use 0 to 1"),
        (MINIMAL.replace("points: 10", "points: 0"), "icp.yaml:4: criteria[0].points: 0 is not above zero; give it points, or remove the entry"),
        (MINIMAL.replace("points: 10", "points: .inf"), "icp.yaml:4: criteria[0].points: '.inf' is not a number; write it as 25, 2.5 or 10_000_000"),
        (MINIMAL.replace("points: 10", "points: ten"), "icp.yaml:4: criteria[0].points: 'ten' is not a number; write it as 25, 2.5 or 10_000_000"),
        (
            MINIMAL.replace("technographic", "technographics"),
            "icp.yaml:4: criteria[0].layer: 'technographics' is not one of technographic, firmographic, behavioural; "
            "did you mean 'technographic'?",
        ),
        (with_predicate("must_have: yes, has_category: reviews"), "icp.yaml:5: criteria[1].must_have: expected true or false, not 'yes'"),
        (with_predicate("has_category: review"), "icp.yaml:5: criteria[1].has_category: unknown category 'review'; did you mean 'reviews'?"),
        (with_predicate("has_category: klaviyo"), "icp.yaml:5: criteria[1].has_category: unknown category 'klaviyo'; it is a technology, use tech_any or lacks_tech"),
        (with_predicate("tech_any: [shopfy]"), "icp.yaml:5: criteria[1].tech_any[0]: unknown technology 'shopfy'; did you mean 'shopify'?"),
        (with_predicate("tech_any: {shopfy: 1}"), "icp.yaml:5: criteria[1].tech_any.shopfy: unknown technology 'shopfy'; did you mean 'shopify'?"),
        (with_predicate("lacks_tech: reviews"), "icp.yaml:5: criteria[1].lacks_tech: unknown technology 'reviews'; it is a category, use has_category or lacks_category"),
        (with_predicate("tech_any: [zzzzzz]"), "icp.yaml:5: criteria[1].tech_any[0]: unknown technology 'zzzzzz'; `technograph rules find` lists them"),
        (with_predicate("tech_any: [brevo, sendinblue]"), "icp.yaml:5: criteria[1].tech_any[1]: 'brevo' is listed twice; remove one"),
        (with_predicate("tech_any: {shopify: 1.5}"), "icp.yaml:5: criteria[1].tech_any.shopify: 1.5 is out of range; use 0.01 to 1"),
        (with_predicate("tech_any: []"), "icp.yaml:5: criteria[1].tech_any: the list is empty; add at least one item or remove the key"),
        (
            with_predicate("has_category: reviews, lacks_category: reviews"),
            "icp.yaml:5: criteria[1]: has has_category and lacks_category; keep one of them, or put them into a list under `all:` or `any:`",
        ),
        (
            with_predicate("why: because"),
            "icp.yaml:5: criteria[1]: has no condition; add one of tech_any, tech_all, lacks_tech, has_category, lacks_category, "
            "count_categories, tech_age, event, version, fact_in, fact_between, fact_true, any, all, not",
        ),
        (
            with_predicate("count_categories: {of: [reviews], at_least: 2}"),
            "icp.yaml:5: criteria[1].count_categories.at_least: 2 is out of range; use 1 to 1",
        ),
        (
            with_predicate("count_categories: {of: [reviews]}"),
            "icp.yaml:5: criteria[1].count_categories: give exactly one of at_least and at_most",
        ),
        (
            with_predicate("event: {category: reviews, kind: switch, within_days: 90}"),
            "icp.yaml:5: criteria[1].event.kind: 'switch' is not one of added, removed, switched, consolidated, overlap, "
            "version_changed; did you mean 'switched'?",
        ),
        (
            with_predicate("version: {slug: shopify, op: '=>', value: '2'}"),
            "icp.yaml:5: criteria[1].version.op: '=>' is not one of <, <=, ==, !=, >=, >",
        ),
        (with_predicate("fact_in: {region: [NO, SE]}"), "icp.yaml:5: criteria[1].fact_in.region[0]: YAML reads NO as a yes/no value; write it in quotes: 'NO'"),
        (with_predicate("fact_in: {a: [x], b: [y]}"), "icp.yaml:5: criteria[1].fact_in: names 2 facts; give one here, and combine several with `all:` or `any:`"),
        (with_predicate("fact_between: {staff: [500, 50]}"), "icp.yaml:5: criteria[1].fact_between: the lower bound 500 is above the upper bound 50; swap them"),
        (with_predicate("fact_between: {staff: [50]}"), "icp.yaml:5: criteria[1].fact_between: wants two bounds, not 1; write [50, 500]"),
        (with_predicate("tech_any: {shopify: 0.5}", section="disqualifiers"), "icp.yaml:6: disqualifiers[0].tech_any: degrees mean nothing in a penalty or disqualifier; write a list of technologies"),
        (
            with_predicate("count_categories: {of: [reviews], at_least: 1, graded: true}", section="penalties"),
            "icp.yaml:6: penalties[0].count_categories.graded: only at_least in a criterion can be graded; remove it",
        ),
        (MINIMAL + "disqualifiers:\n  - {id: T1, has_category: reviews}\n", "icp.yaml:6: disqualifiers[0].id: id 'T1' is taken by criteria[0]; choose another"),
        (with_predicate("not: " + "{not: " * 25 + "{has_category: reviews}" + "}" * 25), "icp.yaml:5: criteria[1].not" + ".not" * 20 + ": nested deeper than 20 levels; split the criterion"),
    ],
)  # fmt: skip
def test_mistake_is_named_with_line_key_and_remedy(tmp_path, text: str | bytes, message: str):
    assert errors(tmp_path, text) == [message]


def test_all_mistakes_are_reported_at_once(tmp_path):
    text = MINIMAL.replace("points: 10", "points: -1").replace("shopify", "shopfy") + "colour: red\n"

    assert [line.split(": ")[:2] for line in errors(tmp_path, text)] == [
        ["icp.yaml:5", "colour"],
        ["icp.yaml:4", "criteria[0].points"],
        ["icp.yaml:4", "criteria[0].tech_any[0]"],
    ]


def test_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(ProfileError, match=r"none\.yaml: cannot read the ICP: No such file or directory"):
        load_profile(tmp_path / "none.yaml", taxonomy())


def test_bottomless_file_is_refused(tmp_path):
    assert errors(tmp_path, "[" * 20_000) == ["icp.yaml: nested too deeply to be an ICP"]


@pytest.mark.parametrize(
    ("written", "bounds"),
    [
        ("[10e6, 2e8]", (10_000_000, 200_000_000)),
        ("[10_000_000, 10000000.5]", (10_000_000, Decimal("10000000.5"))),
    ],
)
def test_numbers_that_yaml_leaves_as_text_are_numbers(tmp_path, written: str, bounds):
    profile = load(tmp_path, with_predicate(f"fact_between: {{revenue_usd: {written}}}"))

    predicate = profile.criteria[1].predicate
    assert (predicate.low, predicate.high) == bounds


@pytest.mark.parametrize(
    ("predicate", "warning"),
    [
        ("tech_any: [sendinblue]", "icp.yaml:5: criteria[1].tech_any[0]: technology 'sendinblue' is now 'brevo'; using that, please rename it here"),
        ("tech_any: [bronto]", "icp.yaml:5: criteria[1].tech_any[0]: technology 'bronto' is no longer offered; does it still tell customers apart?"),
        ("lacks_category: crm_visible", "icp.yaml:5: criteria[1].lacks_category: 'crm_visible' cannot be seen from outside, so it is never absent and this is never met"),
        (
            "fact_true: funded",
            "icp.yaml: criterion T2: asks for facts but its layer is technographic, so it stays unknown when no facts are "
            "given; use layer firmographic or behavioural",
        ),
    ],
)  # fmt: skip
def test_usable_but_doubtful_file_warns(tmp_path, predicate: str, warning: str):
    profile = load(tmp_path, with_predicate(predicate))

    assert [line.replace(f"{tmp_path}/", "") for line in profile.warnings] == [warning]


def test_renamed_technology_is_scored_under_its_current_slug(tmp_path):
    profile = load(tmp_path, with_predicate("tech_any: [sendinblue]"))

    assert profile.criteria[1].predicate == TechAny((("brevo", Decimal(1)),))
