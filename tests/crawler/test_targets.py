from __future__ import annotations

import gzip
import io
import lzma
import os
import sys
import threading
import time
import tracemalloc
from types import SimpleNamespace

import pytest

from crawler.items import Target
from crawler.listfile import open_list
from crawler.targets import Suppressions, TargetReport, read_suppressions, read_targets
from fingerprints.model import InputError


def write(tmp_path, name, content, encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return str(path)


def read(path, **options):
    with TargetReport() as report:
        return list(read_targets(path, report=report, **options)), report


def domains(path, **options):
    return [target.domain for target in read(path, **options)[0]]


def test_plain_list_of_every_kind_of_line(tmp_path):
    path = write(
        tmp_path,
        "list.txt",
        "\ufeff# mine\r\nAcme.com\r\n\r\nhttps://shop.foo.de/x # big\r\nwww.acme.com\r\njane@bar.io\r\n",
    )
    targets, report = read(path)
    assert targets == [
        Target("acme.com", "https://acme.com/", line=2),
        Target("foo.de", "https://shop.foo.de/", line=4),
        Target("bar.io", "https://bar.io/", line=6),
    ]
    assert (report.lines, report.targets, report.duplicates, report.rejected) == (4, 3, 1, 0)


def test_table_keeps_other_columns_in_order_and_takes_the_id(tmp_path):
    path = write(
        tmp_path, "crm.csv", 'Name,External ID,WEBSITE,City\n"Acme, Inc",7,http://acme.com/,"New\nYork"\n'
    )
    targets, _ = read(path)
    assert targets == [
        Target("acme.com", "https://acme.com/", 2, "7", {"Name": "Acme, Inc", "City": "New\nYork"})
    ]
    assert list(targets[0].attrs) == ["Name", "City"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_table_with_any_delimiter(tmp_path, delimiter):
    path = write(tmp_path, "list.csv", f"n{delimiter}domain\n1{delimiter}acme.com\n")
    assert read(path)[0] == [Target("acme.com", "https://acme.com/", 2, "", {"n": "1"})]


def test_excel_unicode_text_export(tmp_path):
    path = write(tmp_path, "export.txt", "Firma\tDomain\r\nMüller\tmüller.de\r\n", "utf-16")
    assert read(path)[0][0].attrs == {"Firma": "Müller"}


def test_utf_16_without_its_mark(tmp_path):
    assert domains(write(tmp_path, "list.txt", "acme.com\nfoo.de\n", "utf-16-le")) == ["acme.com", "foo.de"]


def test_excel_delimiter_hint_is_not_a_row(tmp_path):
    assert domains(write(tmp_path, "list.csv", "sep=;\ndomain;n\nacme.com;1\n")) == ["acme.com"]


def test_windows_1252_line_in_a_utf_8_file(tmp_path):
    path = write(tmp_path, "list.csv", b"domain,name\nacme.com,Caf\xe9\nfoo.de,Caf\xc3\xa9\n")
    assert [target.attrs["name"] for target in read(path)[0]] == ["Café", "Café"]


def test_table_without_a_header_as_public_top_lists_are(tmp_path):
    path = write(tmp_path, "top.csv", "1,acme.com\n2,foo.de\n")
    assert [(t.domain, t.attrs) for t in read(path)[0]] == [
        ("acme.com", {"column 1": "1"}),
        ("foo.de", {"column 1": "2"}),
    ]


@pytest.mark.parametrize("name", ["list.txt", "list.csv"])
@pytest.mark.parametrize("first", ["https://acme.com/a,b;c", "acme.com:443", "jane@acme.com"])
def test_first_line_with_a_delimiter_in_it_is_still_one_value(tmp_path, name, first):
    assert domains(write(tmp_path, name, f"{first}\nfoo.de\n")) == ["acme.com", "foo.de"]


def test_list_with_names_beside_the_domains(tmp_path):
    path = write(tmp_path, "list.txt", "acme.com, Acme Inc\nfoo.de, Foo GmbH\n")
    assert [(t.domain, t.attrs["column 2"]) for t in read(path)[0]] == [
        ("acme.com", "Acme Inc"),
        ("foo.de", "Foo GmbH"),
    ]


def test_repeated_nameless_and_missing_cells_of_a_table(tmp_path):
    path = write(tmp_path, "list.csv", "domain,note,,note\nacme.com,a,b,c,d\nfoo.de\n")
    assert [target.attrs for target in read(path)[0]] == [
        {"note": "a", "column 3": "b", "note (2)": "c", "column 5": "d"},
        {"note": "", "column 3": "", "note (2)": ""},
    ]


def test_numbered_first_column_is_not_a_comment(tmp_path):
    path = write(tmp_path, "list.csv", "#,domain\n1,acme.com\n# left out,x.com\n2,foo.de\n")
    assert [(t.domain, t.attrs) for t in read(path)[0]] == [("acme.com", {"#": "1"}), ("foo.de", {"#": "2"})]


def test_hubspot_company_export_is_read_as_it_is(tmp_path):
    path = write(
        tmp_path, "hubspot.csv", '"Record ID","Company name","Company Domain Name"\n"1","Acme","acme.com"\n'
    )
    assert domains(path) == ["acme.com"]


def test_json_lines_with_objects_and_plain_strings(tmp_path):
    path = write(
        tmp_path, "list.jsonl", '{"id": 5, "Domain": "acme.com", "tags": ["a"], "n": null}\n"foo.de"\n'
    )
    assert read(path)[0] == [
        Target("acme.com", "https://acme.com/", 1, "5", {"tags": '["a"]', "n": ""}),
        Target("foo.de", "https://foo.de/", 2),
    ]


@pytest.mark.parametrize("content", ["acme.com\n", "n;domain\n1;acme.com\n", '{"domain": "acme.com"}\n'])
def test_standard_input_in_any_form(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content.encode())))
    assert domains("-") == ["acme.com"]


def test_named_column_wins(tmp_path):
    path = write(tmp_path, "list.csv", "domain,partner\nacme.com,foo.de\n")
    assert domains(path, column="Partner") == ["foo.de"]


def test_rejected_lines_are_written_with_line_and_reason(tmp_path):
    path = write(tmp_path, "list.txt", "acme.com\n=cmd()\njane@gmail.com\n127.0.0.1\n")
    rejected = tmp_path / "out" / "rejected.csv"
    with TargetReport(rejected) as report:
        list(read_targets(path, report=report))
    assert rejected.read_text() == (
        "line,value,reason\n"
        "2,'=cmd(),not a domain name\n"
        "3,...@gmail.com,an address at a free mail provider names no company\n"
        '4,127.0.0.1,"an IP address, not a domain"\n'
    )
    assert (report.lines, report.targets, report.rejected) == (4, 1, 3)
    assert report.reasons["not a domain name"] == 1


def test_nothing_is_written_when_nothing_is_rejected(tmp_path):
    with TargetReport(tmp_path / "rejected.csv") as report:
        list(read_targets(write(tmp_path, "list.txt", "acme.com\n"), report=report))
    assert not (tmp_path / "rejected.csv").exists()


def test_suppressed_domains_are_handed_out_flagged(tmp_path):
    path = write(tmp_path, "list.txt", "acme.com\nfoo.de\nshop.bar.io\n")
    suppressed = write(tmp_path, "no.txt", "# opted out\nwww.ACME.com\njane@bar.io\n*.gov\n")
    targets, report = read(path, suppress=read_suppressions(suppressed))
    assert [(t.domain, t.suppressed) for t in targets] == [
        ("acme.com", True),
        ("foo.de", False),
        ("bar.io", True),
    ]
    assert (report.targets, report.suppressed) == (3, 2)


def test_suppressed_domain_covers_its_sub_domains_only():
    suppressions = Suppressions(frozenset({"acme.com"}))
    assert "shop.acme.com" in suppressions
    assert "notacme.com" not in suppressions


def test_suppression_that_is_no_domain_stops_the_crawl(tmp_path):
    path = write(tmp_path, "no.txt", "acme.com\nAcme Inc\n")
    with pytest.raises(InputError) as raised:
        read_suppressions(path)
    assert str(raised.value) == f"{path}:2: 'Acme Inc': not a domain name; correct or remove the line"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.txt", "", "holds no domains; write one a line, or a CSV with a column named domain"),
        ("header.csv", "domain\n", "holds no domains; write one a line, or a CSV with a column named domain"),
        (
            "names.txt",
            "Acme\nFoo\n",
            "none of its 2 lines names a domain; line 1: 'Acme': not a domain name: it has no dot",
        ),
        (
            "crm.csv",
            "name,town\nAcme,Berlin\n",
            (
                "no column named domain, website, url or homepage; name it with --column; "
                "its columns: name, town"
            ),
        ),
        (
            "crm.jsonl",
            '{"name": "Acme"}\n',
            "no key named domain, website, url or homepage; name it with --column; its keys: name",
        ),
        ("list.json", '["acme.com"]\n', "is a JSON array; write one JSON object a line"),
        ("crm.xlsx", b"PK\x03\x04\x14\0", "is a workbook or an archive; save the sheet as CSV (UTF-8)"),
        ("photo.txt", bytes(range(256)), "is a binary file; a .txt, .csv or .jsonl file is needed"),
    ],
)
def test_unusable_list_says_what_to_do(tmp_path, name, content, message):
    path = write(tmp_path, name, content)
    with pytest.raises(InputError) as raised:
        read(path)
    assert str(raised.value) == f"{path}: {message}"


@pytest.mark.parametrize(
    ("name", "pack"),
    [("list.csv.gz", gzip.compress), ("list.CSV.XZ", lzma.compress), ("list.csv", gzip.compress)],
)
def test_packed_list_is_unpacked(tmp_path, monkeypatch, name, pack):
    content = pack(b"7,acme.com\n8,foo.de\n" * 20_000)
    assert domains(write(tmp_path, name, content)) == ["acme.com", "foo.de"]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert domains("-") == ["acme.com", "foo.de"]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_list_on_a_pipe_that_begins_with_a_single_byte_is_read(tmp_path, pack):
    path = tmp_path / "list"
    os.mkfifo(path)
    data = pack(b"acme.com\nfoo.de\n")

    def write_slowly():
        with path.open("wb", buffering=0) as pipe:
            for part in (data[:1], data[1:]):
                pipe.write(part)
                time.sleep(0.1)

    writer = threading.Thread(target=write_slowly)
    writer.start()
    assert list(open_list(str(path)).lines()) == ["acme.com\n", "foo.de\n"]
    writer.join()


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_list_that_was_packed_and_cut_is_refused_before_anything_is_crawled(tmp_path, pack):
    path = write(tmp_path, "list.txt.gz", pack(b"acme.com\nfoo.de\n" * 1_000)[:-20])
    with pytest.raises(InputError, match="cannot be unpacked: Compressed file ended"):
        read(path)


def test_unknown_column_names_the_nearest_and_all(tmp_path):
    path = write(tmp_path, "crm.csv", "Name,Website\nAcme,acme.com\n")
    with pytest.raises(InputError) as raised:
        read(path, column="Websit")
    assert str(raised.value) == (
        f"{path}: no column 'Websit' (did you mean 'Website'?); its columns: Name, Website"
    )


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(str(tmp_path / "none.txt"))
    with pytest.raises(InputError, match=r"is a directory; name a .txt, .csv or .jsonl file"):
        read(str(tmp_path))


def test_open_quote_is_named_with_its_line(tmp_path):
    path = write(tmp_path, "list.csv", 'domain,note\nacme.com,ok\nfoo.de,"' + "x\n" * 100_000)
    with pytest.raises(InputError) as raised:
        read(path)
    assert str(raised.value) == (
        f"{path}:3: not a table: field larger than field limit (131072); is a quoted cell left open?"
    )


def test_broken_json_line_is_one_rejected_line(tmp_path):
    path = write(tmp_path, "list.jsonl", '{"domain": "acme.com"}\n{oops\n[1]\n')
    targets, report = read(path)
    assert [target.domain for target in targets] == ["acme.com"]
    assert report.reasons == {"not JSON": 1, "not a JSON object": 1}


def test_one_endless_line_does_not_fill_the_memory(tmp_path):
    path = write(tmp_path, "list.txt", "a" * 20_000_000 + "\nacme.com\n")
    tracemalloc.start()
    try:
        assert domains(path) == ["acme.com"]
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_every_line_is_accounted_for(tmp_path):
    lines = ["acme.com", "ACME.com", "b.de", "nonsense", "", "# note", "www.b.de", "10.0.0.1"]
    _, report = read(write(tmp_path, "list.txt", "\n".join(lines)))
    assert report.lines == report.targets + report.duplicates + report.rejected == 6
