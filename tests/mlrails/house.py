"""python tests/mlrails/house.py: draw the engine's imports into `docs/architecture.md`.

Which module needs which is read from the sources; the page shows folders, and of their imports
those that do not follow from others.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "{{cookiecutter.project_slug}}"
ENGINE = SHIPPED / "src" / "mlrails"
PAGE = SHIPPED / "docs" / "architecture.md"
_PACKAGE = "{{ cookiecutter.package_name }}"
YOURS = SHIPPED / "src" / _PACKAGE.replace(" ", "")
_LINK = re.compile(r'\((\.\./[^)#]+)#L\d+ "([^"]+)"\)')
_MARKS = "<!-- {} -->\n", "<!-- end of {} -->"


def modules(engine: Path) -> list[str]:
    """Return the dotted names of the modules, without the engine's own."""
    files = (path.relative_to(engine).with_suffix("") for path in engine.rglob("*.py"))
    return sorted(".".join(it.parts) for it in files)


def folder(module: str) -> str:
    return module.removesuffix(".__init__").rpartition(".")[0]


def path_of(engine: Path, module: str) -> Path:
    return engine.joinpath(*module.split(".")).with_suffix(".py")


@cache
def of_text(text: str) -> ast.Module:
    return ast.parse(text)


def parsed(engine: Path, module: str) -> ast.Module:
    return of_text(path_of(engine, module).read_text("utf-8"))


def needs(engine: Path, module: str) -> set[str]:
    """Return the modules that one imports itself, wherever it does."""
    found: set[str] = set()
    here = module.split(".")
    for node in ast.walk(parsed(engine, module)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*here[: len(here) - node.level], *(node.module or "").split(".")]
            source = ".".join(filter(None, base))
            if path_of(engine, source).is_file():
                found.add(source)
            else:
                found |= {f"{source}.{alias.name}".lstrip(".") for alias in node.names}
    return {it for it in found if path_of(engine, it).is_file()}


def rooms(engine: Path) -> Mapping[str, set[str]]:
    """Return the folders of the engine, and which others each imports."""
    found: dict[str, set[str]] = {}
    for module in modules(engine):
        if not module.endswith("__init__"):
            here = module.partition(".")[0]
            others = {it.partition(".")[0] for it in needs(engine, module)}
            found.setdefault(here, set()).update(others - {here})
    return found


def reduced(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Yield the edges of a graph that do not follow from others."""

    @cache
    def below(node: str) -> frozenset[str]:
        return frozenset(graph[node]).union(*(below(it) for it in graph[node]))

    for node in sorted(graph):
        implied: set[str] = set().union(*(below(it) for it in graph[node]))
        yield from ((node, other) for other in sorted(graph[node] - implied))


def handed(user: Path = YOURS) -> Mapping[str, set[str]]:
    """Return what is drawn of the user's package, and which folders of the engine each imports."""
    found: dict[str, set[str]] = {"your command line": set(), "your stages and model": set()}
    for path in sorted(user.rglob("*.py")):
        name = "your command line" if path.name == "__main__.py" else "your stages and model"
        for node in ast.walk(of_text(path.read_text("utf-8"))):
            source = node.module if isinstance(node, ast.ImportFrom) and not node.level else None
            if source and source.startswith("mlrails."):
                found[name].add(source.split(".")[1])
    return found


def picture(engine: Path) -> str:
    """Return the user's part and the engine's folders as a drawing in Mermaid's words."""
    yours, graph = handed(), rooms(engine)
    nodes = "".join(f'    {name.replace(" ", "_")}(["{name}"])\n' for name in yours)
    edges = "".join(
        f"    {one.replace(' ', '_')} --> {other}\n" for one, other in reduced({**yours, **graph})
    )
    return f"```mermaid\nflowchart TD\n{nodes}{edges}```\n"


def table(engine: Path) -> str:
    """Return each folder with what it says of itself, and its modules."""
    lines = ["| folder | what is in it | modules |", "|---|---|---|"]
    for name in sorted(rooms(engine)):
        said = str(ast.get_docstring(parsed(engine, f"{name}.__init__"))).partition("\n")[0]
        held = sorted(it for it in modules(engine) if it.startswith(f"{name}.") and "__" not in it)
        inside = ", ".join(f"`{it.partition('.')[2]}`" for it in held)
        lines.append(f"| `{name}` | {said} | {inside} |")
    return "\n".join(lines) + "\n"


def drawn(page: str, engine: Path = ENGINE) -> str:
    """Return the page with an engine's drawing and table, and the lines that its links lead to."""
    page = _LINK.sub(_lined, page)
    for name, make in (("picture", picture), ("table", table)):
        begin, end = (it.format(name) for it in _MARKS)
        inner = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
        assert inner.search(page), f"{PAGE.name} has no place for the {name}"
        made = make(engine).replace("\\", r"\\")
        page = inner.sub(made, page)
    return page


def _lined(link: re.Match[str]) -> str:
    """Return a link to the first line of a file that has the words of the link's title."""
    path = Path(SHIPPED, "docs", link[1].replace(_PACKAGE, YOURS.name))
    lines = path.read_text("utf-8").splitlines()
    number = next(number for number, line in enumerate(lines, 1) if link[2] in line)
    return f'({link[1]}#L{number} "{link[2]}")'


if __name__ == "__main__":
    PAGE.write_text(drawn(PAGE.read_text("utf-8")), "utf-8")
