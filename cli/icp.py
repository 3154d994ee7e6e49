"""`technograph icp`: check, show and improve ideal customer profiles."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cli.icp_backtest import test
from cli.icp_derive import derive
from cli.icp_review import review
from cli.output import note, open_output
from cli.scoring import now_utc, read_profiles, rule_taxonomy
from icp.profile import load_profile
from icp.render import render as render_profile
from icp.render import review_reminder
from icp.schema import icp_schema

CONTEXT = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=CONTEXT)
def icp() -> None:
    """Check, show and improve ideal customer profiles (docs/icp.md).

    \b
    Example:
      technograph icp check data/icp/dtc-reviews.yaml
      technograph icp derive --best won.csv --worst churned.csv --out proposal.yaml
    """


@icp.command(context_settings=CONTEXT)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check ICP files: every mistake with its line.

    \b
    Example:
      technograph icp check data/icp/*.yaml
    """
    taxonomy, today = rule_taxonomy(), now_utc().date()
    for path in files:
        [profile] = read_profiles([path], taxonomy)
        reminder = review_reminder(profile, today)
        if reminder:
            note(f"warning: {path}: {reminder}")
        points = sum(c.points for c in profile.criteria)
        click.echo(
            f"{path}: ok: {profile.name} v{profile.version}, "
            f"criteria {len(profile.criteria)} ({points:f} points), penalties {len(profile.penalties)}, "
            f"disqualifiers {len(profile.disqualifiers)}"
        )


@icp.command(context_settings=CONTEXT)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", "output", default="-", metavar="FILE", help="Write to FILE.")
def render(file: Path, output: str) -> None:
    """Print a profile as a page for the people who use it.

    \b
    Example:
      technograph icp render data/icp/dtc-reviews.yaml -o dtc-reviews.md
    """
    taxonomy = rule_taxonomy()
    profile = load_profile(file, taxonomy)
    with open_output(output) as stream:
        stream.write(render_profile(profile, taxonomy, now_utc().date()))


@icp.command(context_settings=CONTEXT)
def schema() -> None:
    """Print the JSON Schema of ICP files, for editors.

    \b
    Example:
      technograph icp schema > icp.schema.json
    """
    click.echo(json.dumps(icp_schema(rule_taxonomy()), indent=2, ensure_ascii=False))


for study in (derive, test, review):
    icp.add_command(study)
