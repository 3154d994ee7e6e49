"""`technograph find`: sites by what they run, lack, or leave unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from cli.database import ask, db_option, icp_name_option, include_stale_option, open_for_reading
from cli.output import Output, note, output_options, write_rows
from store.queries import Answers, count_answers
from store.queries import find as find_sites

Row = dict[str, Any]


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("query", nargs=-1, required=True)
@db_option
@click.option(
    "--include-unknown", is_flag=True, help="Also list sites for which nobody knows; see the column `match`."
)
@click.option("--limit", type=click.IntRange(min=1), help="List no more than this many sites.")
@include_stale_option
@icp_name_option
@output_options
def find(
    query: tuple[str, ...],
    db_path: Path,
    include_unknown: bool,
    limit: int | None,
    include_stale: bool,
    icp_name: str,
    output: Output,
) -> None:
    """List the sites for which the QUERY is known to be true.

    \b
    Terms:
      tech:shopify         the technology is present (a slug, an old slug or a name)
      category:live_chat   something of the category is present
      lacks:reviews        the category was looked for everywhere it shows, and is not there
      unknown:reviews      nobody knows
      platform:shopify     the site is built on it
      version:magento-2<2.4    also > >= <= and = (6 means 6 and 6.4)
      outcome:parked       how the crawl of the site ended
      tier:A  score>=60    of the ideal customer profile last scored, or --icp NAME
      domain:*.de          one domain, or a pattern

    Join terms with AND, OR, NOT and parentheses; side by side means AND, a comma inside a term OR
    (tech:shopify,bigcommerce).

    NOT never means "no row": NOT tech:x and NOT category:x hold only where the category of x was
    assessed and found absent, or where sites have one such tool (a shop platform, a CMS) and this one
    has another. Sites for which nobody knows are counted on stderr, and listed with --include-unknown.

    \b
    Example:
      technograph find 'tech:shopify AND lacks:reviews' --format csv > list.csv
      technograph find 'category:subscriptions (tier:A OR score>=70)' --limit 50
    """
    with open_for_reading(db_path) as store:
        question = ask(store, " ".join(query), include_stale=include_stale, icp=icp_name)
        rows: Iterable[Row] = find_sites(store, question, limit=limit, include_unknown=include_unknown)
        columns = [column.name for column in question.columns]
        if include_unknown:
            columns = ["match", *columns]
        written = write_rows(_dated(rows) if output.format == "table" else rows, columns, output)
        note(_summary(count_answers(store, question), written, include_unknown))


def _dated(rows: Iterable[Row]) -> Iterator[Row]:
    """Times as days, for a table that people read."""
    for row in rows:
        yield row | {"scanned_at": row["scanned_at"][:10]}


def _summary(answers: Answers, written: int, include_unknown: bool) -> str:
    """As `1,204 match; 391 more are unknown, 80 of them unread (--include-unknown)`."""
    shown = f", the first {written:,} shown" if written < answers.listed(include_unknown) else ""
    unread = f", {answers.unread:,} of them unread" if answers.unread else ""
    hint = "" if include_unknown or not answers.unknown else " (--include-unknown)"
    return f"{answers.match:,} match{shown}; {answers.unknown:,} more are unknown{unread}{hint}"
