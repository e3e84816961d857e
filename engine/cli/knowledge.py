"""knowledge: what searches learned, to be written out, taken in, and read."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.console import Exit, Force, out, print_json, say
from engine.cli.runs import Key, found
from engine.contract.errors import Refused
from engine.store import Store, files

if TYPE_CHECKING:
    from engine.data.user.knowledge_file import Knowledge

knowledge = typer.Typer(help="Export, import and read what searches learned.")
File = Annotated[Path, typer.Argument(help="A knowledge base's JSON file.")]


@knowledge.command()
def export(
    key: Key,
    label: Annotated[str, typer.Argument(help="The learner's label in that run.")],
    file: Annotated[Path, typer.Argument(help="The file to write; ends in .json.")],
    *,
    force: Force = False,
) -> int:
    """Write the knowledge base of a run to a file."""
    from engine.data.user.knowledge_file import written
    from engine.export.overwrite_guard import check_file

    data = written(_of_run(key, label))
    check_file(file, data, force=force)
    files.write_new(file, data)
    say(f"written to {file}, {len(data):,} bytes")
    return Exit.OK


@knowledge.command("import")
def imported(file: File) -> int:
    """Take in a knowledge base; prints the learner that starts from it."""
    from engine.data.user.knowledge_file import (
        knowledge_path,
        read_knowledge,
        store_knowledge,
    )

    data = knowledge_path(file)
    told = read_knowledge(data)
    digest = store_knowledge(data)
    count = sum(len(kept.accuracy) for kept in told.replicates)
    say(f"{count:,} experiences of {told.space}, sha256 {digest}")
    best = max(int(kept.best.sum()) for kept in told.replicates) or 1
    others = max(int((~kept.best).sum()) for kept in told.replicates)
    knobs = {"base": digest, "best": best, "capacity": best + others}
    print_json({"name": "warm_evolution", "knobs": knobs})
    return Exit.OK


@knowledge.command()
def patterns(file: File) -> int:
    """Say what a knowledge base teaches: design principles with their evidence."""
    import numpy as np

    from engine.data.user.knowledge_file import knowledge_path, read_knowledge
    from engine.stats.search.motifs import motifs, principles

    told = read_knowledge(knowledge_path(file))
    for number, kept in enumerate(told.replicates, 1):
        drawn = np.flatnonzero(~kept.best)  # the best alone would hide what is bad
        listed = motifs(
            *(kept.codes[drawn], kept.accuracy[drawn], told.options, told.edges),
            positions=told.positions,
            task=kept.task[drawn],
        )
        out().print(f"replicate {number}: {len(drawn):,} experiences")
        for sentence in principles(listed, told.tasks) or ["no principle is sure"]:
            out().print(f"  {sentence}", soft_wrap=True)
    return Exit.OK


def _of_run(key: str, label: str) -> "Knowledge":
    """Return the knowledge that a learner of a run ended with."""
    from engine.algorithms.search.knowledge.base import Base
    from engine.algorithms.search.knowledge.import_export import knowledge_of
    from engine.runner.context import Bench
    from engine.tasks.search._family import SearchFamily

    store = Store.existing()
    run = found(store, key).key
    family = Bench(store.spec(run)).setting.family
    labels = [e.name for e in store.artefacts(run) if e.kind == "frozen"]
    if label not in labels or not isinstance(family, SearchFamily):
        have = ", ".join(labels) or "none"
        raise Refused(
            f"this run froze no learner {label[:40]!r}; it froze: {have}", "label"
        )
    arrays = store.artefact(run, label, "frozen").arrays
    if missing := set(Base._fields) - set(arrays):
        raise Refused(f"{label} keeps no knowledge base: no {min(missing)}", "label")
    evaluator = family.evaluator()
    base = Base(*(arrays[name] for name in Base._fields))
    return knowledge_of(base, evaluator.space, evaluator.tasks)
