"""A training of a few steps with Trainer, on one rank or several: `torchrun trainer_runs.py FILE NORM` saves the parameters of rank 0."""

import copy
import sys
import tempfile

import torch
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainingArguments,
)

import steelyard as sy
from steelyard.integrations.transformers import RecipeTrainer

BERT = {
    "vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8,
    "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "num_labels": 3, "max_position_embeddings": 8,
}  # fmt: skip
GPT2 = {"vocab_size": 7, "n_embd": 8, "n_layer": 1, "n_head": 1, "n_positions": 8, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "bos_token_id": 0, "eos_token_id": 0}  # fmt: skip
ROWS = 24


def rows(task):
    random = torch.Generator().manual_seed(1)
    tokens = torch.randint(0, 7, (ROWS, 6), generator=random)
    if task == "sequence":
        labels = torch.multinomial(torch.tensor([0.6, 0.3, 0.1]), ROWS, replacement=True, generator=random)
    elif task == "tokens":
        labels = torch.randint(0, 3, (ROWS, 6), generator=random)
        labels[torch.rand(ROWS, 6, generator=random) < torch.rand(ROWS, 1, generator=random)] = -100  # uneven rows
    elif task == "several":
        labels = (torch.rand(ROWS, 3, generator=random) < 0.3).float()
    else:
        labels = tokens.clone()
        labels[torch.rand(ROWS, 6, generator=random) < torch.rand(ROWS, 1, generator=random)] = -100
    return [{"input_ids": t, "labels": y} for t, y in zip(tokens, labels, strict=True)]


def model_of(task):
    torch.manual_seed(0)
    if task == "language":
        return GPT2LMHeadModel(GPT2Config(**GPT2))
    return (BertForTokenClassification if task == "tokens" else BertForSequenceClassification)(BertConfig(**BERT))


def loss_of(task, norm):
    if task == "several":
        return sy.BinaryCrossEntropy(sy.Recipe(weight=[[1.0, 1.0, 2.0], [4.0, 9.0, 1.0]], norm=norm))
    return sy.CrossEntropy(
        sy.Recipe(weight=[1.0, 4.0, 9.0, 1.0, 2.0, 3.0, 5.0] if task == "language" else [1.0, 4.0, 9.0], norm=norm)
    )


def train(
    task,
    loss,
    batch,
    accumulate,
    folder=None,
    trainer=RecipeTrainer,
    steps=2,
    resume=None,
    given=None,
    data=None,
    **options,
):
    """(parameters after `steps`, the Trainer, parameters before)"""
    model = model_of(task)
    before = flat(copy.deepcopy(model))
    arguments = TrainingArguments(
        folder or tempfile.mkdtemp(),
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulate,
        max_steps=steps,
        optim="sgd",
        learning_rate=0.5,
        lr_scheduler_type="constant",
        max_grad_norm=0.0,
        report_to=[],
        logging_steps=1,
        disable_tqdm=True,
        use_cpu=True,
        save_strategy="steps" if folder else "no",
        save_steps=1,
        **options,
    )
    given = {"recipe_loss": loss, **(given or {})} if issubclass(trainer, RecipeTrainer) else {}
    made = trainer(model, arguments, train_dataset=rows(task) if data is None else data, **given)
    made.train(resume_from_checkpoint=resume)
    return flat(made.model), made, before


def flat(model):
    return torch.cat([p.detach().flatten().clone() for p in model.parameters()])


def weighted_rows():
    """Of the language task, with a weight for every token."""
    random = torch.Generator().manual_seed(5)
    return [{**row, "token_weight": torch.rand(6, generator=random).mul(3).floor()} for row in rows("language")]


class Documented(Trainer):
    """A mean of its own, as subclassed compute_loss is usually written."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        loss = sy.CrossEntropy(loss_of("sequence", "count").recipe)(outputs.logits, labels)
        return (loss, outputs) if return_outputs else loss


if __name__ == "__main__":
    path, norm, averaged, *fused = sys.argv[1:]
    task = "language" if fused else "sequence"
    found, trainer, _ = train(
        task,
        sy.LinearCrossEntropy(loss_of(task, norm).recipe) if fused else loss_of(task, norm),
        2,
        2,
        average_tokens_across_devices=averaged == "True",
        ddp_backend="gloo",
    )
    if trainer.args.process_index == 0:
        torch.save(found, path)
