"""JAX and Keras on two devices that are one CPU: `python sharded_runs.py` prints what was found there and on one, as JSON.

A process of its own: the number of devices is said before JAX is imported.
"""

import json
import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

import steelyard as sy

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(16, 4)).astype("float32")
Z = RANDOM.normal(size=(16, 3)).astype("float32")
Y = np.where(np.arange(16) < 5, -100, np.arange(16) % 3)  # the first device holds few labels


def of_jax(recipe: sy.Recipe) -> list[list[float]]:
    call = jax.jit(jax.value_and_grad(sy.jax.cross_entropy(recipe)))
    rows = NamedSharding(jax.make_mesh((2,), ("rows",)), PartitionSpec("rows"))
    found = []
    for z, y in ((Z, Y), (jax.device_put(Z, rows), jax.device_put(Y, rows))):
        value, slope = call(z, y)
        found.append([float(value), *np.asarray(slope).ravel().tolist()])
    return found


def of_keras(recipe: sy.Recipe) -> list[list[float]]:
    """Weights after one step."""
    found = []
    for devices in (1, 2):
        keras.distribution.set_distribution(
            keras.distribution.DataParallel(devices=keras.distribution.list_devices()[:devices])
        )
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3)])
        model.compile(
            keras.optimizers.SGD(0.5), loss=sy.keras.CrossEntropy(recipe, from_logits=True, ignore_class=-100)
        )
        model.fit(X, Y, batch_size=16, epochs=1, shuffle=False, verbose=0)
        found.append(np.concatenate([np.ravel(w) for w in model.get_weights()]).tolist())
    return found


if __name__ == "__main__":
    assert len(jax.devices()) == 2
    said = {
        f"{name} {norm}": of(sy.Recipe(weight=[1.0, 2.0, 9.0], norm=norm))
        for name, of in (("jax", of_jax), ("keras", of_keras))
        for norm in ("count", "mass")
    }
    print(json.dumps(said))
