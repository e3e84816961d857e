"""All lessons, by their name in links, in the order of the page."""

from app.views.learn import (
    calibration_lesson,
    exploration_lesson,
    few_shot_lesson,
    optimizer_lesson,
    search_lesson,
)
from app.views.learn.lesson import Lesson

LESSONS: dict[str, Lesson] = {
    "optimizers": optimizer_lesson.LESSON,
    "few_shot": few_shot_lesson.LESSON,
    "search": search_lesson.LESSON,
    "doubt": calibration_lesson.LESSON,
    "exploring": exploration_lesson.LESSON,
}
