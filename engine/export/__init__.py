"""Exporting runs as CSV, JSON, LaTeX and archives, and importing archives; no torch.

The page and the command line share this code. `metrics.csv` is in long form: one number
per row, in these columns.

run         the run's key
learner     label of the learner in the spec; none where none applies
role        chosen or baseline; none where there is no learner
phase       tune, train, validate or test
test_family the family tested on; none for the one trained on
shift       the shift; none without a shift
severity    in the shift's own unit; 0 without a shift
metric      a name of `engine.contract.metrics`, which gives label and unit
statistic   value: as measured; task_mean: mean over tasks of one replicate; mean,
            low, high: mean over replicates of those, with its 95 % interval
            (metrics with a log axis are averaged on the log scale; searches of a
            strategy that was never trained are independent, so theirs is over all)
replicate, task, step, inner_step, layer, rate, bin, context, presentation   where it
            was measured, empty where none applies; step is a step of the base learner,
            an inner step of a test episode, an evaluation of a search (from 1), or a
            meta-step of a training, and inner_step an inner step within a meta-step;
            context is the number of examples that an answer may use; presentation
            counts how often the class was shown so far in its episode; bin is a
            twentieth of a predicted distribution or a tenth of confidence, from 0
value       the number; empty where there is none
status      ok; censored (the level was never reached); diverged; never (did not
            diverge); unmeasured (of a search: the budget was spent, or the training
            failed; of a bin: no query is in it);
            or "k of n diverged" (or "unmeasured") where a mean counts those as the
            metric's worst value, such as 100 nats, or leaves them out if it has none

Summaries per task and their means are always included, curves as means over tasks, and
with `traces` every single trace. What validation records for the live view is no result
and is left out. `claims.csv` has a row for each comparison of two learners with its
call, and DATA_DICTIONARY.md says all this beside the files. `comparison.csv` and its
LaTeX form are the table of learners by conditions, see `comparison_csv`. Times are in
`timings.csv`, as they differ between machines.
"""

from engine.export.archive import export_archive, import_run, read_archive
from engine.export.claim_tables import CLAIMED, claims_csv
from engine.export.comparison_tables import COMPARED, comparison_csv, comparison_latex
from engine.export.exported_files import (
    RunRecord,
    config_json,
    metrics_csv,
    summary_json,
    timings_csv,
)
from engine.export.long_format import COLUMNS, metrics_rows
from engine.export.notebook import notebook_json, python_script
from engine.export.run_folder import export_run, exported_file, exported_files

__all__ = [
    "CLAIMED",
    "COLUMNS",
    "COMPARED",
    "RunRecord",
    "claims_csv",
    "comparison_csv",
    "comparison_latex",
    "config_json",
    "export_archive",
    "export_run",
    "exported_file",
    "exported_files",
    "import_run",
    "metrics_csv",
    "metrics_rows",
    "notebook_json",
    "python_script",
    "read_archive",
    "summary_json",
    "timings_csv",
]
