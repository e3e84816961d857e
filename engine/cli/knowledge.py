"""knowledge: export, import and interpret knowledge bases of searches."""

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import Exit, Force, out, print_json, print_status
from engine.cli.runs import Key, find_run
from engine.contract.errors import Refused
from engine.store import Store, files

knowledge = typer.Typer(help="Export, import and interpret knowledge bases.")
File = Annotated[Path, typer.Argument(help="A knowledge base's JSON file.")]


@knowledge.command()
def export(
    key: Key,
    label: Annotated[str, typer.Argument(help="The learner's label in that run.")],
    file: Annotated[Path, typer.Argument(help="Output file; must end in .json.")],
    *,
    force: Force = False,
) -> int:
    """Write the knowledge base of a run to a file."""
    from engine.export.overwrite_guard import check_file

    data = _knowledge_file_of(key, label)
    check_file(file, data, force=force)
    files.write_atomically(file, data)
    print_status(f"written to {file}, {len(data):,} bytes")
    return Exit.OK


@knowledge.command("import")
def import_knowledge(file: File) -> int:
    """Import a knowledge base; print the learner that starts from it."""
    from engine.data.user.csv_store import path_bytes
    from engine.data.user.knowledge_file import LIMIT, read_knowledge, store_knowledge

    data = path_bytes(file, LIMIT)
    given = read_knowledge(data)
    digest = store_knowledge(data)
    count = sum(len(entries.best) for entries in given.entries)
    print_status(f"{count:,} experiences of {given.space.name}, sha256 {digest}")
    # The sizes at which every replicate keeps all that the file holds.
    best = max(int(entries.best.sum()) for entries in given.entries) or 1
    others = max(int((~entries.best).sum()) for entries in given.entries)
    knobs = {"base": digest, "best": best, "capacity": best + others}
    print_json({"name": "warm_evolution", "knobs": knobs})
    return Exit.OK


@knowledge.command()
def patterns(file: File) -> int:
    """List the design principles of a knowledge base, with their evidence."""
    from engine.data.user.csv_store import path_bytes
    from engine.data.user.knowledge_file import LIMIT, read_knowledge
    from engine.stats.search.design_principles import describe_principles
    from engine.stats.search.motifs import find_motifs

    given = read_knowledge(path_bytes(file, LIMIT))
    for number, entries in enumerate(given.entries, 1):
        # The best alone are a biased sample: nothing bad is among them.
        sample = entries.take(~entries.best)
        listed = find_motifs(
            sample.codes,
            sample.accuracy,
            given.space.options,
            given.space.edges,
            positions=given.space.positions,
            task=sample.task,
        )
        out().print(f"replicate {number}: {len(sample.codes):,} experiences")
        for sentence in describe_principles(listed, given.tasks) or [
            "no significant principle"
        ]:
            out().print(f"  {sentence}", soft_wrap=True)
    return Exit.OK


def _knowledge_file_of(key: str, label: str) -> bytes:
    """Return the final knowledge base of a run's learner, as JSON bytes."""
    from engine.algorithms.search.knowledge.import_export import export_base
    from engine.algorithms.search.knowledge.knowledge_base import KnowledgeBase
    from engine.runner.context import RunContext
    from engine.tasks.search._family import SearchFamily

    store = Store.open_existing()
    run = find_run(store, key).key
    family = RunContext(store.spec(run)).setting.family
    labels = [e.name for e in store.artefacts(run) if e.kind == "frozen"]
    if label not in labels or not isinstance(family, SearchFamily):
        have = ", ".join(labels) or "none"
        raise Refused(
            f"this run has no frozen learner {label[:40]!r}; it has: {have}", "label"
        )
    arrays = store.artefact(run, label, "frozen").arrays
    if missing := set(KnowledgeBase._fields) - set(arrays):
        raise Refused(
            f"{label} has no knowledge base: {min(missing)} is missing", "label"
        )
    evaluator = family.evaluator()
    base = KnowledgeBase(*(arrays[name] for name in KnowledgeBase._fields))
    return export_base(base, evaluator.space, evaluator.tasks)
