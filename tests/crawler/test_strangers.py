"""Whatever a list or a page holds, the pure functions answer; only the stated error may come out."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.domains import NotADomain, parse_site
from crawler.pages import next_pages, page_kind
from crawler.targets import TargetReport, read_targets
from crawler.walls import classify
from fingerprints.model import InputError, Link, Observation
from fingerprints.observe import observe

URLISH = st.text(alphabet="htps:/.@#?&=[]%+-_ \\\t\0abcé例1", max_size=40)
PARTS = [
    "<a href=",
    "<html",
    "<title>",
    "<script",
    "<!--",
    "<input type=password",
    ">",
    "'",
    "\0",
    "é",
    "domain for sale",
]


@given(st.one_of(st.text(max_size=80), URLISH), st.booleans())
def test_any_text_is_a_site_or_says_why_not(text, allow_private):
    with suppress(NotADomain):
        site = parse_site(text, allow_private=allow_private)
        assert parse_site(site.url, allow_private=allow_private) == site


@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(str.encode)))
@settings(max_examples=60)
def test_any_file_is_a_list_or_says_why_not(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    path.write_bytes(content)
    with TargetReport() as report, suppress(InputError):
        targets = list(read_targets(str(path), report=report))
        assert len({target.domain for target in targets}) == len(targets) == report.targets
        assert report.lines == report.targets + report.duplicates + report.rejected


@given(
    st.lists(st.sampled_from(PARTS), max_size=20).map("".join),
    URLISH,
    st.sampled_from([None, 200, 204, 302, 403, 999]),
)
def test_any_page_gets_a_verdict(html, url, status):
    observation = observe(html, url="https://acme.com/" + url, status=status)
    classify(observation)
    page_kind(observation)
    next_pages(observation)


@given(st.lists(URLISH, max_size=10))
def test_chosen_pages_stay_on_the_site(urls):
    start = Observation(url="https://acme.com/", links=tuple(Link(url, "Cart") for url in urls))
    for _, url in next_pages(start):
        assert parse_site(url).domain == "acme.com"
