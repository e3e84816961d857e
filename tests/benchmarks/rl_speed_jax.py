"""The JAX side of `rl_speed`: the same meta-step as one compiled program.

Environments are pure functions of a key, as in gymnax (Lange, 2022), and trials are
`scan`s over batches of them; drawing, playing and the update are compiled together, as
in PureJaxRL (Lu et al. 2022).
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

Array = jax.Array
Params = dict[str, Array]


class Sizes(NamedTuple):
    """Sizes and constants of the meta-step, as in `rl_speed`."""

    arms: int
    pulls: int
    units: int
    trials: int
    rate: float
    discount: float
    trace: float
    bonus: float


class Steps(NamedTuple):
    """What was played; shape (step, trial, …)."""

    seen: Array
    action: Array
    reward: Array


def init(key: Array, sizes: Sizes) -> Params:
    """Draw a GRU cell; the policy and the value begin at 0."""
    inputs, units = 1 + sizes.arms + 2, sizes.units
    draw = partial(jax.random.uniform, minval=-(units**-0.5), maxval=units**-0.5)
    one, two = jax.random.split(key)
    return {
        "wx": draw(one, (inputs, 3 * units)),
        "wh": draw(two, (units, 3 * units)),
        "bx": jnp.zeros(3 * units),
        "bh": jnp.zeros(3 * units),
        "policy": jnp.zeros((units, sizes.arms)),
        "policy_bias": jnp.zeros(sizes.arms),
        "value": jnp.zeros(units),
        "value_bias": jnp.zeros(()),
    }


def advance(params: Params, state: Array, seen: Array) -> Array:
    """Take one step of the cell; shape (trial, unit)."""
    found = jnp.split(seen @ params["wx"] + params["bx"], 3, 1)
    kept = jnp.split(state @ params["wh"] + params["bh"], 3, 1)
    reset, update = (jax.nn.sigmoid(found[i] + kept[i]) for i in (0, 1))
    new = jnp.tanh(found[2] + reset * kept[2])
    return (1 - update) * new + update * state


def logits_of(params: Params, state: Array) -> Array:
    """Return the policy's logits."""
    return state @ params["policy"] + params["policy_bias"]


def play(params: Params, key: Array, sizes: Sizes) -> Steps:
    """Draw bandits and play a trial of each."""
    tasks, key = jax.random.split(key)
    pays = jax.random.uniform(tasks, (sizes.trials, sizes.arms))

    def step(carry: tuple[Array, Array], key: Array) -> tuple[Any, Steps]:
        state, seen = carry
        choice, luck = jax.random.split(key)
        state = advance(params, state, seen)
        action = jax.random.categorical(choice, logits_of(params, state))
        chance = jnp.take_along_axis(pays, action[:, None], 1)[:, 0]
        reward = (jax.random.uniform(luck, chance.shape) < chance).astype(jnp.float32)
        one = jnp.ones((sizes.trials, 1))
        hot = jax.nn.one_hot(action, sizes.arms)
        after = jnp.concatenate([one, hot, reward[:, None], one], 1)
        return (state, after), Steps(seen, action, reward)

    first = jnp.zeros((sizes.trials, 3 + sizes.arms)).at[:, 0].set(1.0)
    start = (jnp.zeros((sizes.trials, sizes.units)), first)
    return jax.lax.scan(step, start, jax.random.split(key, sizes.pulls))[1]


def loss(params: Params, steps: Steps, sizes: Sizes) -> Array:
    """Return the loss of A2C over whole trials."""

    def step(state: Array, seen: Array) -> tuple[Array, Array]:
        state = advance(params, state, seen)
        return state, state

    start = jnp.zeros((sizes.trials, sizes.units))
    states = jax.lax.scan(step, start, steps.seen)[1]
    logs = jax.nn.log_softmax(logits_of(params, states))
    value = states @ params["value"] + params["value_bias"]
    gain = advantages(steps.reward, jax.lax.stop_gradient(value), sizes)
    error = jnp.square(value - gain - jax.lax.stop_gradient(value)).mean()
    normal = (gain - gain.mean()) / (gain.std() + 1e-6)
    taken = jnp.take_along_axis(logs, steps.action[..., None], -1)[..., 0]
    entropy = -(jnp.exp(logs) * logs).sum(-1).mean()
    return -(taken * normal).mean() + 0.5 * error - sizes.bonus * entropy


def advantages(reward: Array, value: Array, sizes: Sizes) -> Array:
    """Return generalized advantage estimates; shape (step, trial)."""
    following = jnp.concatenate([value[1:], jnp.zeros_like(value[:1])])
    errors = reward + sizes.discount * following - value

    def back(running: Array, error: Array) -> tuple[Array, Array]:
        running = error + sizes.discount * sizes.trace * running
        return running, running

    return jax.lax.scan(back, jnp.zeros_like(reward[0]), errors, reverse=True)[1]


def take_adam_step(
    params: Params, grads: Params, moments: tuple[Params, Params, Array], rate: float
) -> tuple[Params, tuple[Params, Params, Array]]:
    """Return the parameters after a step of Adam, and its moments."""
    first, second, count = moments
    count = count + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, grads)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, grads)

    def move(x: Array, m: Array, v: Array) -> Array:
        size = jnp.sqrt(v / (1 - 0.999**count)) + 1e-8
        return x - rate * m / (1 - 0.9**count) / size

    return jax.tree.map(move, params, first, second), (first, second, count)


def meta_step(*numbers: float) -> Callable[[], int]:
    """Return a compiled meta-step, which returns its number of steps.

    Args:
        numbers: The fields of `Sizes`.
    """
    sizes = Sizes(*numbers)  # type: ignore[arg-type]

    @jax.jit
    def update(params: Params, moments: Any, key: Array) -> tuple[Params, Any]:
        steps = play(params, key, sizes)
        grads = jax.grad(loss)(params, steps, sizes)
        return take_adam_step(params, grads, moments, sizes.rate)

    params = init(jax.random.key(0), sizes)
    zeros = jax.tree.map(jnp.zeros_like, params)
    moments, number = (zeros, zeros, jnp.zeros(())), 0

    def step() -> int:
        nonlocal params, moments, number
        key = jax.random.fold_in(jax.random.key(1), number)
        params, moments = jax.block_until_ready(update(params, moments, key))
        number += 1
        return sizes.trials * sizes.pulls

    return step
