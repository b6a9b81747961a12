"""User-edited YAML against a pydantic model: every fault at the line and column of what is wrong, in our own words."""

from typing import Any
from typing import TypeVar

import pydantic

from gateway.yaml_source import Fault
from gateway.yaml_source import Faults
from gateway.yaml_source import Mapping
from gateway.yaml_source import Node
from gateway.yaml_source import Sequence
from gateway.yaml_source import plain

Model = TypeVar("Model", bound=pydantic.BaseModel)


def checked(node: Mapping, model: type[Model]) -> Model:
    """The node as `model`; raises Faults, each at the line and column of what is wrong."""
    try:
        return model.model_validate(plain(node))
    except pydantic.ValidationError as error:
        # of two forms that a key may take, the one that was not meant only confuses
        told = [item for item in error.errors() if not (item["type"] == "literal_error" and isinstance(item["input"], dict))]
        raise Faults([_fault(node, item) for item in told or error.errors()]) from None


def _fault(node: Mapping, error: Any) -> Fault:
    here: Node = node
    where: Node = node
    for step in error["loc"]:
        if isinstance(here, Mapping) and step in here:
            where = here.items[step] if error["type"] != "extra_forbidden" else here.keys[step]
            here = here.items[step]
        elif isinstance(here, Sequence) and isinstance(step, int) and step < len(here.items):
            here = where = here.items[step]
    last = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "extra_forbidden":
            return where.fault(f"unknown key '{last}'")
        case "missing":
            return where.fault(f"'{last}' is missing")
        case "literal_error":
            return where.fault(f"'{error['input']}' is not one of {error['ctx']['expected']}")
        case "value_error":
            return where.fault(str(error["ctx"]["error"]))
        case _:
            said = error["msg"][0].lower() + error["msg"][1:]
            return where.fault(f"'{error['input']}': {said}" if isinstance(error["input"], str) else said)
