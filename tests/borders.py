"""Three import rules that import-linter does not bring itself; pyproject.toml, [tool.importlinter], names their use.

They read the same import graph as the built-in contracts, lazy imports inside functions included.
"""

import sys
from collections.abc import Iterator

import grimp
from importlinter import Contract, ContractCheck, fields, output


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


class _Listed(Contract):
    """What the three share: a list of sentences, one for each import that breaks the rule."""

    guidance = ""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:
        broken = sorted(set(self.broken(graph)))
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def broken(self, graph: grimp.ImportGraph) -> Iterator[str]:
        raise NotImplementedError

    def render_broken_contract(self, check: ContractCheck) -> None:
        for sentence in check.metadata["broken"]:
            output.print_error(f"- {sentence}")
        if self.guidance:
            output.print(self.guidance)
        output.new_line()


def _imports(graph: grimp.ImportGraph) -> Iterator[tuple[str, str]]:
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            yield importer, imported


class DoorsContract(_Listed):
    """`app.<domain>` imports another domain only as `app.<other>.service` or `app.<other>.queries`.

    `kernel` modules are open to all; `roots` (the composition roots) may import anything.
    `tables` stay with the domain's own service, queries and jobs (and its `piccolo_app`, which lists them for Piccolo).
    """

    guidance = "What goes up goes by event or by capability; what goes across goes through the other's service."

    kernel = fields.ListField(subfield=fields.StringField())
    roots = fields.ListField(subfield=fields.StringField())

    def broken(self, graph: grimp.ImportGraph) -> Iterator[str]:
        kernel: list[str] = list(self.kernel)  # type: ignore[call-overload]
        roots: list[str] = list(self.roots)  # type: ignore[call-overload]
        own_table_readers = ("service", "queries", "jobs", "piccolo_app", "tables")
        for importer, imported in _imports(graph):
            theirs = imported.split(".")
            if theirs[0] != "app" or len(theirs) < 3 or any(_inside(imported, k) for k in kernel):
                continue
            if any(_inside(importer, root) for root in roots):
                continue
            mine = importer.split(".")
            if mine[:2] != theirs[:2]:
                if theirs[2] not in ("service", "queries"):
                    yield f"{importer} imports {imported}: enter app.{theirs[1]} by its service or its queries."
            elif theirs[2] == "tables" and (len(mine) < 3 or mine[2] not in own_table_readers):
                yield f"{importer} imports {imported}: tables are for the domain's service, queries and jobs."


class OnlyContract(_Listed):
    """`importer` imports nothing but itself, the standard library and what `only` lists."""

    importer = fields.StringField()
    only = fields.ListField(subfield=fields.StringField())

    def broken(self, graph: grimp.ImportGraph) -> Iterator[str]:
        home = str(self.importer)
        allowed = [home, *self.only]  # type: ignore[misc]
        for importer, imported in _imports(graph):
            if not _inside(importer, home) or imported.split(".")[0] in sys.stdlib_module_names:
                continue
            if not any(_inside(imported, place) for place in allowed):
                yield f"{importer} imports {imported}."


class PlacesContract(_Listed):
    """Each line `library -> module` says: of our code only `module` (and what is inside it) imports `library`.

    A line may name several modules, separated by commas.
    """

    guidance = "Put the call where the library lives, or let the other side ask that module."

    places = fields.ListField(subfield=fields.StringField())

    def broken(self, graph: grimp.ImportGraph) -> Iterator[str]:
        homes: dict[str, list[str]] = {}
        for line in self.places:  # type: ignore[attr-defined]
            library, _, modules = line.partition("->")
            homes[library.strip()] = [module.strip() for module in modules.split(",")]
        for importer, imported in _imports(graph):
            library = imported.split(".")[0]
            if library in homes and not any(_inside(importer, home) for home in homes[library]):
                yield f"{importer} imports {library}: only {' and '.join(homes[library])} may."
