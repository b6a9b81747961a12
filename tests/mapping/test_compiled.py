"""The generated functions of every shipped mapping, also those that hardly any file calls, are Python."""

import pytest

from gateway.mapping.compile_writing import CompiledWriting
from gateway.mapping.files import file_for
from tests.ready_made import shipped_plans

PLANS = shipped_plans()
SPECS = sorted(
    {
        name.removeprefix("mappings/").removesuffix(".yaml").removesuffix("-write").removesuffix("-read")
        for name in PLANS.resolver.names("mappings/")
        if name.split("/")[1] not in ("tables", "parts")
    }
)


@pytest.mark.parametrize("explain", [False, True], ids=["plain", "explain"])
@pytest.mark.parametrize("spec", SPECS)
def test_every_function_of_a_mapping_is_python(spec: str, explain: bool) -> None:
    if file_for(spec, "read", PLANS.resolver) is not None:
        mapping = PLANS.reading(spec, explain=explain).mapping
        assert mapping is not None
        for module in mapping.modules.values():
            compile(module.source(), spec, "exec")
    if file_for(spec, "write", PLANS.resolver) is not None:
        writing = PLANS.writing(spec, explain=explain).mapping
        assert isinstance(writing, CompiledWriting)
        compile(writing.module.source(), spec, "exec")
