"""One small BERT, made from a configuration, trained by Trainer under a recipe: what it answers on rows it has not seen."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import average_precision_score, log_loss
from transformers import BertConfig, BertForSequenceClassification, TrainingArguments

import steelyard as sy
from steelyard.integrations.transformers import RecipeTrainer

from .data import LENGTH, encoded, parts, vocabulary

COST_MISSED, COST_LOST = 1.0, 10.0  # a spam that passes, a message that is lost
ARMS: dict[str, Callable[[sy.Counts], sy.Recipe]] = {
    "plain": lambda counts: sy.Recipe(classes=counts.classes),
    "inverse frequency": sy.inverse_frequency,
    "logit adjustment": sy.logit_adjustment,
}


@dataclass(frozen=True)
class Size:
    epochs: int = 3
    hidden: int = 32
    layers: int = 2


def one_seed(texts: list[str], y: np.ndarray, seed: int, size: Size) -> list[dict[str, float | str]]:
    """A row of numbers for every arm, all with the same parts, first weights and order of rows."""
    train, held, test = parts(y, seed)
    words = vocabulary(texts[i] for i in train)
    ids = encoded(texts, words)
    sets = [
        [{"input_ids": ids[i], "attention_mask": (ids[i] > 0).astype(np.int64), "labels": int(y[i])} for i in rows]
        for rows in (train, held, test)
    ]
    counts = sy.count(y[train])
    return [
        {
            "arm": name,
            "seed": seed,
            **judged(trained(make(counts), sets, len(words) + 2, seed, size), sets, y[held], y[test]),
        }
        for name, make in ARMS.items()
    ]


def trained(recipe: sy.Recipe, sets: list[list[dict]], vocabulary_size: int, seed: int, size: Size) -> RecipeTrainer:
    torch.manual_seed(seed)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=vocabulary_size,
            hidden_size=size.hidden,
            num_hidden_layers=size.layers,
            num_attention_heads=2,
            intermediate_size=2 * size.hidden,
            max_position_embeddings=LENGTH,
            num_labels=2,
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=size.epochs,
            per_device_train_batch_size=16,
            per_device_eval_batch_size=256,
            gradient_accumulation_steps=4,  # the step is that of 64 rows
            learning_rate=2e-3,
            warmup_steps=10,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=True,
            seed=seed,
        )
        trainer = RecipeTrainer(model, arguments, train_dataset=sets[0], recipe_loss=sy.CrossEntropy(recipe))
        trainer.train()
    return trainer


def judged(trainer: RecipeTrainer, sets: list[list[dict]], y_held: np.ndarray, y_test: np.ndarray) -> dict[str, float]:
    """Undone probabilities, and decisions by three cuts: one half of what was trained, one half undone, the cut of held-out rows."""
    p_held = trainer.predict_proba(sets[1])[:, 1]
    z = torch.from_numpy(trainer.predict(sets[2]).predictions).double()
    raw = torch.softmax(z, 1)[:, 1].numpy()
    p = sy.posterior(z, trainer.recipe_loss)[:, 1].numpy()
    cut = sy.threshold(p_held, y_held, cost_fn=COST_MISSED, cost_fp=COST_LOST)

    def cost(called: np.ndarray) -> float:
        return float(1000 * (COST_MISSED * (y_test & ~called) + COST_LOST * (~y_test.astype(bool) & called)).mean())

    return {
        "average precision": float(average_precision_score(y_test, p)),
        "mean p, as trained": float(raw.mean()),
        "mean p, undone": float(p.mean()),
        "share": float(y_test.mean()),
        "log loss, as trained": float(log_loss(y_test, raw)),
        "log loss, undone": float(log_loss(y_test, p)),
        "cost, as trained at 0.5": cost(raw >= 0.5),
        "cost, undone at 0.5": cost(p >= 0.5),
        "cost, own cut": cost(p >= cut),
    }
