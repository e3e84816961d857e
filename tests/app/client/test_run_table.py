"""A run's blocks are sorted once, however many figures and tables ask for them."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from app.charts import few_shot, optimization, search
from app.charts.view_state import Look
from app.client import examples
from app.views.run import tables
from engine.contract.blocks import Block
from engine.stats.block_table import Table

GRIDS = {
    "optimization": (optimization.grid, "loss"),
    "few_shot": (few_shot.grid, "query_mse"),
    "search": (search.grid, "regret"),
}


@pytest.mark.parametrize("kind", GRIDS)
def test_a_runs_table_is_made_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Table] = []
    build = Table.__init__

    def count(self: Table, blocks: Iterable[Block], kind: str) -> None:
        made.append(self)
        build(self, blocks, kind)

    recorded = examples.run(kind)
    assert recorded is not None
    draw, metric = GRIDS[kind]
    monkeypatch.setattr(Table, "__init__", count)
    run = replace(recorded)  # the recorded one may have made its table before
    assert list(draw(run, Look(metrics=(metric,))))
    assert tables.costs(run, {})
    assert made == [run.table]


def test_another_state_of_a_run_has_its_own_table() -> None:
    recorded = examples.run("few_shot")
    assert recorded is not None
    assert recorded.table.conditions()
    assert not replace(recorded, blocks=()).table.conditions()
