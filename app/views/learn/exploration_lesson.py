"""A short lesson on exploration: bandits, regret, and learning how to explore."""

from app.views.learn.bandit_game import PULLS, draw_game
from app.views.learn.lesson import Lesson, LessonStep

STEPS = (
    LessonStep(
        "Four arms, unknown chances",
        "Each arm pays 1 or nothing, with a chance of its own. You have "
        f"{PULLS} pulls. Pull the arm that paid best so far, and you may never find a "
        "better one; try all of them for long, and little is left to earn. To "
        "**explore** is to pay for knowledge, to **exploit** is to use it.",
        (),
        draw_game,
    ),
    LessonStep(
        "Regret",
        "A return says little without the best one possible. **Regret** is what the "
        "best arm would have earned on average, less what the pulled arms earn on "
        "average: the price of not knowing. It counts chances, not luck. In other "
        "environments the bound is the best policy that knows the task.",
        ("bandit_strategies",),
    ),
    LessonStep(
        "Strategies from theory",
        "**ε-greedy** tries an arm at random now and then. **UCB1** adds to each mean "
        "what the arm could still be. **Thompson sampling** draws a chance for each "
        "arm from what it believes, and pulls the highest. For chances from a known "
        "prior, the **Bayes optimum** can be computed: no strategy earns more on "
        "average. *Lai and Robbins (1985), Asymptotically efficient adaptive "
        "allocation rules; Thompson (1933).*",
        ("long_bandit",),
    ),
    LessonStep(
        "Exploration can be learned",
        "**RL²** trains a recurrent net on thousands of bandits. Its weights are fixed "
        "in a trial; its memory holds what the pulls have shown. Nothing tells it to "
        "explore: exploring is what earns over a whole trial. Here it can be held "
        "against the Bayes optimum, pull by pull. *Duan et al. (2016), RL²: Fast "
        "reinforcement learning via slow reinforcement learning; Wang et al. (2016).*",
        ("bandit", "bandit_memory", "mdp_memory"),
    ),
    LessonStep(
        "Or by a gradient",
        "**MAML-RL** meta-trains a policy from which one gradient step, on a few "
        "episodes, gives a good policy for a new task. Here the first episodes are the "
        "exploration: what they show decides where the step leads, so they deserve "
        "credit for it. *Finn et al. (2017); Rothfuss et al. (2019), ProMP.*",
        ("navigation_gradient", "learned_critic"),
    ),
)
LESSON = Lesson("Explore, then exploit", "Exploring", STEPS)
