"""A run's blocks are sorted once, however many figures and tables ask for them."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from app.charts import few_shot, optimization, search
from app.charts.chart_options import ViewState
from app.client import recorded_examples
from app.views.run import run_tables
from engine.contract.events import Block
from engine.stats.block_table import BlockTable

GRIDS = {
    "optimization": (optimization.main_charts, "loss"),
    "few_shot": (few_shot.main_charts, "query_mse"),
    "search": (search.main_charts, "regret"),
}


@pytest.mark.parametrize("kind", GRIDS)
def test_a_runs_table_is_made_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[BlockTable] = []
    build = BlockTable.__init__

    def count(self: BlockTable, blocks: Iterable[Block], kind: str) -> None:
        made.append(self)
        build(self, blocks, kind)

    recorded = recorded_examples.recorded_run(kind)
    assert recorded is not None
    draw, metric = GRIDS[kind]
    monkeypatch.setattr(BlockTable, "__init__", count)
    run = replace(recorded)  # the recorded one may have made its table before
    assert list(draw(run, ViewState(metrics=(metric,))))
    assert run_tables.cost_rows(run, {})
    assert made == [run.table]


def test_another_state_of_a_run_has_its_own_table() -> None:
    recorded = recorded_examples.recorded_run("few_shot")
    assert recorded is not None
    assert recorded.table.conditions()
    assert not replace(recorded, blocks=()).table.conditions()
