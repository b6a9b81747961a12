"""The guide as one HTML page that needs nothing else: no script, no font, no picture from anywhere. It prints well."""

from functools import cache

from jinja2 import Environment
from jinja2 import PackageLoader
from jinja2 import StrictUndefined
from jinja2 import Template

from gateway.publish.guide.values import Guide


@cache
def _template() -> Template:
    loader = PackageLoader("gateway.publish", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["words"] = words
    return environment.get_template("guide.html")


def words(name: str) -> str:
    """A field as a partner reads it: `lines.ship_to.name` is line › ship to › name."""
    return " › ".join("line" if part == "lines" else part for part in name.replace("_", " ").split(".") if part)


def page(guide: Guide) -> str:
    """The HTML of a guide."""
    return _template().render(guide=guide)
