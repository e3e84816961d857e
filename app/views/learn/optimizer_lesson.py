"""A short lesson on learned optimizers, from one step size to a meta-learned rule."""

from app.views.learn.lesson import Lesson, LessonStep
from app.views.learn.valley_demo import draw_descent, draw_learned_rates

STEPS = (
    LessonStep(
        "One number, the step size",
        "Gradient descent goes downhill by **step size × gradient**. In a long, narrow "
        "valley a small step crawls along it, a large one bounces between its walls, "
        "and beyond a limit the loss grows without end. Move the sliders.",
        (),
        draw_descent,
    ),
    LessonStep(
        "Learn the step sizes",
        "Now draw many valleys from a **task family** and let a second gradient "
        "descent choose a step size for each step, so that the loss **after the last "
        "step** is low on all of them. That is **meta-training**: learning from many "
        "tasks how to learn. The test is on new valleys, beside the best constant "
        "step size.",
        (),
        draw_learned_rates,
    ),
    LessonStep(
        "What a shift does",
        "Stretch the new valleys. What was learned for one range of curvatures takes "
        "steps that are too large for steeper ones, so it may fall behind the constant "
        "step size, or diverge. This is why every experiment here is also tested under "
        "a **shift**, and why the answer says where it holds.",
        ("default", "digits"),
    ),
    LessonStep(
        "From step sizes to optimizers",
        "A net can read the state of the training (loss, gradient norm, progress) and "
        "return the next step size; an LSTM can return the whole update of each "
        "weight. Their meta-gradient runs through all inner steps, or is estimated "
        "from perturbed ones, as by **PES**. *Andrychowicz et al. (2016), Learning to "
        "learn by gradient descent by gradient descent; Vicol et al. (2021).*",
        ("lstm_quadratics", "truncated_unroll"),
    ),
    LessonStep(
        "A fair rival",
        "An optimizer that beats an untuned SGD shows nothing. Its **rival** is tuned "
        "on the tasks of the meta-training, for the same loss, and meets the same "
        "test tasks. Simple rivals are strong; see what the recorded example says.",
        ("default", "long"),
    ),
)
LESSON = Lesson("From a step size to a learned optimizer", "Optimizers", STEPS)
