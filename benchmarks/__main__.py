"""`python -m benchmarks`: measure the table of docs/performance.md, side by side in one run."""

import sys
from collections.abc import Iterator, Sequence
from importlib import import_module

import click

from benchmarks.machine import description
from benchmarks.row import Row

SUBJECTS = (
    "scan",
    "scaling",
    "peers",
    "project",
    "occlusion",
    "foreign",
    "training",
    "evaluate",
    "verify",
    "site",
    "flow",
    "growth",
    "prepare",
)
HEAD = ("ratio or value", "goal", "", "what", "against", "note")


@click.command()
@click.option("--quick", is_flag=True, help="Smaller sizes, in minutes.")
@click.option("--only", multiple=True, type=click.Choice(SUBJECTS), help="Only these subjects.")
def main(quick: bool, only: Sequence[str]) -> None:
    """Print the table as Markdown; standard error says what is being measured."""
    click.echo(f"Measured on {description()}{' (quick)' if quick else ''}.\n")
    for line in (HEAD, ("---",) * len(HEAD)):
        click.echo(_line(line))
    for row in measured(only or SUBJECTS, quick):
        click.echo(_line(cells(row)))


def measured(subjects: Sequence[str], quick: bool) -> Iterator[Row]:
    """The rows of the subjects, one subject after the other."""
    for subject in subjects:
        click.echo(f"measuring {subject} …", err=True)
        yield from import_module(f"benchmarks.{subject}").rows(quick)
        sys.stdout.flush()


def cells(row: Row) -> tuple[str, ...]:
    """One row's cells: the measured value and its goal first."""
    bound = "≥" if row.better == "higher" else "≤"
    unit = f" {row.unit}" if row.unit else ""
    reached = row.measured >= row.goal if row.better == "higher" else row.measured <= row.goal
    return (
        f"**{row.measured:.3g}{unit}**",
        f"{bound} {row.goal:g}{unit}",
        "reached" if reached else "missed",
        row.name,
        row.against,
        row.note,
    )


def _line(values: Sequence[str]) -> str:
    return f"| {' | '.join(value.replace('|', '/') for value in values)} |"


if __name__ == "__main__":
    main()
