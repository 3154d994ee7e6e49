# ruff: noqa: E501 - exact messages on one line
from __future__ import annotations

import pytest

from fingerprints.model import InputError
from icp.facts import load_facts, merge_mappings
from icp.table import TableError, read_domains, read_table


def domain_of(text: str) -> str:
    """Stands for the crawl's own reading of a cell."""
    host = text.lower().removeprefix("https://").removeprefix("www.").strip("/")
    if "." not in host:
        raise ValueError("it has no dot")
    return host


def facts(tmp_path, *texts: str, **columns: str):
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_text(text, encoding="utf-8")
    return load_facts(paths, domain_of, columns)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_delimiter_and_header_spelling(tmp_path, delimiter):
    text = f"Company Domain Name{delimiter}Annual Revenue (USD)\nhttps://www.ACME.com/{delimiter}5\n"

    assert facts(tmp_path, text).of("acme.com") == {"annual_revenue_usd": "5", "company_domain_name": "https://www.ACME.com/"}  # fmt: skip


def test_most_certain_domain_column_wins(tmp_path):
    found = facts(tmp_path, "Website,Domain,n\nother.com,acme.com,1\n")

    assert found.of("acme.com")["n"] == "1"
    assert found.of("other.com") == {}


def test_several_files_fill_each_other_and_the_first_counts(tmp_path):
    found = facts(tmp_path, "domain,staff,region\na.com,5,\n", "url,staff,region\na.com,9,eu\nb.com,1,us\n")

    assert {key: found.of("a.com")[key] for key in ("staff", "region")} == {"staff": "5", "region": "eu"}
    assert found.of("b.com")["region"] == "us"
    assert found.keys >= {"staff", "region"}


def test_rows_without_a_domain_and_repeated_ones_are_told(tmp_path):
    found = facts(tmp_path, 'domain,note\n-,"two\nlines"\na.com,x\na.com,y\nshort\n')

    assert found.rejected == (
        f"{tmp_path}/0.csv:3: '-' is no domain: it has no dot",
        f"{tmp_path}/0.csv:6: 'short' is no domain: it has no dot",
    )
    assert (found.repeated, found.of("a.com")["note"]) == (1, "x")


def test_mapped_column_that_no_file_has_is_told(tmp_path):
    found = facts(tmp_path, "domain,n\na.com,1\n", staff="N", region="Billing Region")

    assert found.of("a.com")["staff"] == "1"
    assert found.unmapped == ("region",)


def test_empty_values_are_no_facts(tmp_path):
    assert "n" not in facts(tmp_path, "domain,n\na.com,  \n").of("a.com")


def test_two_profiles_that_disagree_need_a_decision():
    profiles = {"one": {"staff": "Employees"}, "two": {"staff": "Headcount"}}

    with pytest.raises(InputError) as caught:
        merge_mappings(profiles, {})

    assert str(caught.value) == (
        "ICP two reads fact 'staff' from column 'Headcount', ICP one from 'Employees'; decide with --map staff=COLUMN"
    )
    assert merge_mappings(profiles, {"staff": "FTE"}) == {"staff": "FTE"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0.csv: the file is empty"),
        (" \n\n", "0.csv: the file is empty"),
        ("domain,n\n", "0.csv: has a header but no rows"),
        (f"domain,n\na.com,{'x' * 200_000}\n", "0.csv:2: not readable as CSV: field larger than field limit (131072)"),
    ],
    ids=["empty", "blank", "header only", "huge cell"],
)  # fmt: skip
def test_file_that_cannot_be_used_is_one_clear_line(tmp_path, text, message):
    with pytest.raises(TableError) as caught:
        facts(tmp_path, text)

    assert str(caught.value) == f"{tmp_path}/{message}"


@pytest.mark.parametrize(
    "text", ["a.com\nb.com\n", "domain\na.com\nb.com\n", "\ufeffWebsite\r\nwww.a.com\r\n\r\nb.com"]
)
def test_plain_list_of_domains_needs_no_header(tmp_path, text):
    path = tmp_path / "list.txt"
    path.write_text(text, encoding="utf-8", newline="")

    _, found, rejected = read_domains(path, domain_of)

    assert ([domain for domain, _ in found], rejected) == (["a.com", "b.com"], [])


def test_file_that_is_not_there(tmp_path):
    with pytest.raises(TableError, match=r"none\.csv: cannot read: No such file or directory"):
        read_table(tmp_path / "none.csv")
