"""The Jinja environment: escaping on, undefined names refused; and the assets of its pages."""

import math
import shutil
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent
ASSETS = FOLDER / "assets"
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def copy_assets(out: Path) -> None:
    """Copy styles, scripts and icons into a folder of the site, which must not have them yet.

    Raises the OSError of the first file that cannot be written; shutil.copytree would raise one of
    all of them, which does not say that the disk is full.
    """
    (out / "assets").mkdir()
    for asset in sorted(ASSETS.iterdir()):
        shutil.copyfile(asset, out / "assets" / asset.name)


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
    env.filters["breakable"] = breakable
    env.filters["by"] = by
    env.filters["side"] = side
    return env


def render_page(env: Environment, template: str, context: Mapping[str, object]) -> str:
    """One page as text."""
    return env.get_template(template).render(context)


def short(value: float | int) -> str:
    """A number with two or three significant digits; an exponent only where it is tiny."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 0.01 else f"{value:.{_decimals(value)}f}"


def powers_of_ten(value: float) -> str:
    """A number as 3.4 × 10⁻⁴, which no line end divides; a dash for one that is not finite."""
    if not math.isfinite(value):
        return "–"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa}\u00a0×\u00a010{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def breakable(name: str) -> Markup:
    """A path that a line may end in after each of its parts."""
    return Markup(".<wbr>").join(name.split("."))


def by(size: tuple[float | int, float | int]) -> str:
    """Rows and columns, as 6 × 9."""
    return " × ".join(f"{length:.4g}" for length in size)


def side(size: tuple[float | int, float | int]) -> str:
    """One number for what is as high as wide; else rows and columns."""
    return f"{size[0]:.4g}" if size[0] == size[1] else by(size)


def percent(fraction: float) -> str:
    """A fraction in per cent."""
    return f"{100 * fraction:.0f} %"


def percent_to_tenths(fraction: float) -> str:
    """A fraction in per cent with one decimal; in words where it is not finite."""
    return f"{100 * fraction:.1f} %" if math.isfinite(fraction) else "not known"


def _decimals(value: float) -> int:
    return 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0


def share(part: float | int, whole: float | int) -> str:
    """A share in per cent; small ones are not rounded to nothing."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 1:
        return "< 1 %"
    return f"{percent:.0f} %"
