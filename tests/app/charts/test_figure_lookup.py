"""A figure of a run is found by its chart's name and by its title."""

from pathlib import Path

from app.charts import figure_lookup, run_figures
from app.client import client


def test_every_figure_is_found_by_its_name_and_by_its_title(
    home: Path, key: str
) -> None:
    run = client.run(key)
    for part in run_figures.page_parts(run):
        for title, figure in figure_lookup._part_figures(run, part).items():
            found = figure_lookup.find_figure(run, figure.name)
            assert found is not None and found.name == figure.name
            by_title = figure_lookup.title_in_link(title)
            assert figure_lookup.find_figure(run, by_title) is not None
    assert figure_lookup.find_figure(run, "film").name == "film"  # type: ignore
    assert figure_lookup.find_figure(run, "../loss") is None
    decided = figure_lookup.find_figure(run, "")
    assert decided is not None and decided.name == run.table.criterion.trace
