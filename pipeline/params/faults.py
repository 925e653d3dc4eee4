"""What is wrong with a file of parameters, in one sentence."""

import difflib
import re

from pydantic import BaseModel, ValidationError

from pipeline.params.model import MODEL_FORMS
from pipeline.params.section import Section


def remedy(error: ValidationError) -> str:
    """What to do about the faults, and how many there are besides the first."""
    further = len(error.errors()) - 1
    also = f" and {further} more fault(s)" if further else ""
    return f"Correct it{also}, then run again."


def first_fault(error: ValidationError, root: type[Section]) -> str:
    """The first fault in one sentence; an unknown key before the missing one it may stand for.

    `root` is the record that the file was to be.
    """
    faults = error.errors()
    unknown = (fault for fault in faults if fault["type"] == "extra_forbidden")
    fault = next(unknown, faults[0])
    location = [part for at, part in enumerate(fault["loc"]) if at != 1 or part not in MODEL_FORMS]
    where = ".".join(str(part) for part in location) or "the file"
    if fault["type"] == "extra_forbidden":
        return f"`{where}` is not a parameter; {_meant(fault['loc'], root)}"
    if fault["type"] == "missing":
        return f"`{where}` is missing."
    if fault["type"] == "value_error":
        return f"{f'`{where}`: ' * bool(fault['loc'])}{fault['ctx']['error']}."
    if fault["type"] == "model_type":
        return f"`{where}` must hold `key: value` lines, not {fault['input']!r}."
    return f"`{where}` is {fault['input']!r}: {fault['msg']}{_unread_number(fault['input'])}."


def _meant(location: tuple[int | str, ...], root: type[Section]) -> str:
    """The known key nearest to an unknown one, or all keys that may be beside it."""
    known = _siblings(location, root)
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"`{near[0]}` may be meant." if near else f"valid keys: {', '.join(known)}."


def _unread_number(value: object) -> str:
    """A hint for numbers such as 1e-2, which YAML reads as text for want of a point."""
    if isinstance(value, str) and re.fullmatch(r"[-+]?\d+e[-+]?\d+", value, re.IGNORECASE):
        return f"; YAML reads it as text, write {float(value)}"
    return ""


def _siblings(location: tuple[int | str, ...], root: type[Section]) -> list[str]:
    """The known keys beside the key at a location."""
    section: type[BaseModel] = root
    for part in location[:-1]:
        if part == "model":
            continue
        inner = MODEL_FORMS.get(str(part)) or section.model_fields[str(part)].annotation
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        section = inner
    return list(section.model_fields)
