"""What a sweep leaves: the table, who is best, and the page; laws alone, no run."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from rib.config.sweeps.page import setting_importance, sweep_page
from rib.config.sweeps.table import SweepTable
from rib.engine.run_folder.status import FAILED, FINISHED, PRUNED, RunStatus


def runs() -> dict[int, RunStatus]:
    """The score follows the learning rate alone; the net is of no matter; one failed."""
    made = {
        number: RunStatus(
            PRUNED if number == 5 else FINISHED,
            score=lr,
            seconds=1.5,
            step=10,
            metrics={"val/a": lr, "val/b": 1 / lr, "train/loss": 2.0},
            overrides=(f"+lr={lr}", f"net={'ab'[number % 2]}", "seed=1", "restore=continue"),
        )
        for number, lr in enumerate((0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
    }
    return {**made, 6: RunStatus(FAILED, error="the <loss> is nan", overrides=("lr=9", "net=a", "seed=1"))}


def test_every_metric_stands_in_the_table_and_what_does_not_vary_is_left_out() -> None:
    table = SweepTable.of(runs(), {"val/a": "min"})
    head, first, *_, last = table.rows()
    assert head[:7] == ["run", "lr", "net", "state", "score", "step", "seconds"]
    assert head[7:] == ["train/loss", "val/a", "val/b", "error"]
    assert first == ["0", "0.1", "a", "finished", "0.1", "10", "1.5", "2", "0.1", "10", ""]
    assert last == ["6", "9", "a", "failed", "", "", "0", "", "", "", "the <loss> is nan"]
    assert table.rows(all_metrics=False)[0] == ["run", "lr", "net", "state", "score", "step", "seconds"]


@pytest.mark.parametrize(("mode", "best"), [("min", 0), ("max", 5)])
def test_the_best_run_is_that_of_the_mode(mode: str, best: int) -> None:
    assert list(SweepTable.of(runs(), {"val/a": mode}).best()) == [best]


def test_with_objectives_that_disagree_no_run_beats_another() -> None:
    assert len(SweepTable.of(runs(), {"val/a": "min", "val/b": "min"}).best()) == 6
    assert list(SweepTable.of(runs(), {"val/a": "min", "val/b": "max"}).best()) == [0]


def test_what_decides_the_score_is_told_to_matter_and_the_rest_is_not() -> None:
    shares = setting_importance(SweepTable.of(runs(), {"val/a": "min"}))
    assert list(shares) == ["lr", "net"]
    assert shares["lr"] == pytest.approx(1)
    assert shares["net"] < 0.2


def test_the_page_stands_alone_and_draws_a_line_a_judged_run() -> None:
    text = sweep_page(SweepTable.of(runs(), {"val/a": "min"}), "a <sweep>")
    assert text.count("<path ") == 6
    assert "the &lt;loss&gt; is nan" in text
    assert not re.search(r"(src|href)=|https?://", text)
    HTMLParser().feed(text)
    assert "<svg" not in sweep_page(SweepTable.of({6: runs()[6]}, {"val/a": "min"}), "nothing yet")
