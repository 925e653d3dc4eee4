"""The Jinja environment: escaping on, undefined names refused."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"


def environment() -> Environment:
    """The environment of the templates, with the few filters that numbers need."""
    env = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["short"] = short
    env.filters["share"] = share
    env.filters["percent"] = percent
    return env


def render_page(env: Environment, template: str, context: Mapping[str, object]) -> str:
    """One page as text."""
    return env.get_template(template).render(context)


def short(value: float | int) -> str:
    """A number with three significant digits and no exponent where none is needed."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 0.01 else f"{value:.{_decimals(value)}f}"


def percent(fraction: float) -> str:
    """A fraction in per cent."""
    return f"{100 * fraction:.0f} %"


def _decimals(value: float) -> int:
    return 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0


def share(part: float | int, whole: float | int) -> str:
    """A share in per cent; small ones are not rounded to nothing."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 1:
        return "< 1 %"
    return f"{percent:.0f} %"
