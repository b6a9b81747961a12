"""The plan of the house is held: who may import whom, no circles, and the pure rooms stay pure."""

import ast
from functools import cache
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent / "gateway"

FLOORS = {
    1: {"model", "problem", "kinds", "yaml_source", "expression", "transport", "visible"},
    2: {"codecs", "trade", "rules", "store"},
    3: {"schema"},
    4: {"mapping", "exchange", "conformance"},
    5: {"pipeline", "publish", "insight", "config", "user_files"},
    6: {"web"},
    7: {"cli", "demo", "__main__"},
}
FLOOR = {room: floor for floor, rooms in FLOORS.items() for room in rooms}
#: rooms of these floors may not import a neighbour
NEVER_SIDEWAYS = {2, 4}
#: the rooms within large rooms, from the lowest: each imports only from those before it and from the files beside them
WITHIN = {
    "pipeline": "reading writing answers trading inbound outbox as2 outbound arriving stateless engine keeping alerts service".split(),
    "store": "payloads incoming records trading outgoing working watching keeping verifying".split(),
}
#: not rooms in this sense: the tables, and what builds them
BESIDE = {"store/tables", "store/migrations"}
#: names that a pure room may not import, and the rooms that are excepted
IMPURE = {
    "socket",
    "subprocess",
    "requests",
    "random",
    "secrets",
    "sqlite3",
    "threading",
    "http",
    "paramiko",
    "httpx2",
    "time",
    "os",
    "shutil",
    "tempfile",
}
EXCEPTED = {"store", "transport"}


def modules() -> list[Path]:
    return [path for path in sorted(TOP.rglob("*.py")) if "__pycache__" not in path.parts]


def room_of(path: Path) -> str:
    part = path.relative_to(TOP).parts[0]
    return part.removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return tuple(names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(TOP)))
def test_a_room_imports_only_from_lower_floors(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    assert room in FLOOR, f"gateway/{room} stands on no floor: add it to DESIGN's table and here"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "gateway" or len(parts) < 2 or parts[1] in {room, "__version__"}:
            continue
        other = parts[1]
        assert FLOOR[other] <= FLOOR[room], f"{room} (floor {FLOOR[room]}) imports {name} of floor {FLOOR[other]}"
        if FLOOR[room] in NEVER_SIDEWAYS:
            assert FLOOR[other] < FLOOR[room], f"{room} imports its neighbour {name}"


@pytest.mark.parametrize(
    "path",
    [path for path in modules() if FLOOR.get(room_of(path), 9) <= 4 and room_of(path) not in EXCEPTED],
    ids=lambda path: str(path.relative_to(TOP)),
)
def test_a_pure_room_has_no_socket_file_clock_or_chance(path: Path) -> None:
    wrong = {name.split(".")[0] for name in imports(path)} & IMPURE
    if str(path.relative_to(TOP)) in {"conformance/xslt_worker.py", "conformance/artefacts.py"}:
        wrong -= {"subprocess", "os", "tempfile", "shutil"}
    assert not wrong, f"{path.relative_to(TOP)} imports {sorted(wrong)}"


def test_no_room_imports_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for path in modules():
        room = room_of(path)
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "gateway" and len(parts) > 1 and parts[1] in FLOOR and parts[1] != room:
                edges.setdefault(room, set()).add(parts[1])

    def walk(room: str, way: tuple[str, ...]) -> None:
        assert room not in way, " -> ".join((*way, room))
        for other in sorted(edges.get(room, ())):
            walk(other, (*way, room))

    for room in sorted(edges):
        walk(room, ())


def test_no_files_import_each_other_in_a_circle() -> None:
    """Imports inside of functions, and those for types alone, count like any other."""
    names = {".".join(["gateway", *path.relative_to(TOP).with_suffix("").parts]): path for path in modules()}
    edges = {name: {found for one in imports(path) for found in (one, one.rpartition(".")[0]) if found in names} for name, path in names.items()}
    over: set[str] = set()

    def walk(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in over:
            for other in sorted(edges[name] - {name}):
                walk(other, (*way, name))
            over.add(name)

    for name in sorted(names):
        walk(name, ())


@pytest.mark.parametrize("large", WITHIN)
def test_the_rooms_within_a_large_room_stand_in_one_order(large: str) -> None:
    """Files beside the rooms (station, plans, database, ...) are below all of them."""
    place = {room: number for number, room in enumerate(WITHIN[large], 1)}
    inside = TOP / large
    folders = {path.name for path in inside.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name for name in folders if f"{large}/{name}" not in BESIDE} == set(place), "add the room to WITHIN"
    wrong = []
    for path in (path for path in modules() if inside in path.parents):
        own = place.get(path.relative_to(inside).parts[0], 0)
        for name in imports(path):
            parts = name.split(".")
            if parts[:2] == ["gateway", large] and place.get(parts[2], 0) > own:
                wrong.append(f"{path.relative_to(TOP)} imports {name}")
    assert not wrong


def test_every_module_says_what_its_room_is_for() -> None:
    silent = [str(path.relative_to(TOP)) for path in modules() if not (ast.get_docstring(tree(path)) or "").strip()]
    assert not silent
