"""Where the crawl's names lead: options for the demo web and for tests, left out of --help (docs/demo.md)."""

from __future__ import annotations

import click

allow_private_option = click.option(
    "--allow-private", is_flag=True, hidden=True, help="Also connect to private addresses."
)
resolve_all_to_option = click.option(
    "--resolve-all-to", default="", hidden=True, help="A web of our own instead of the internet."
)
