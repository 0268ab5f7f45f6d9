"""The loss under an adaptive rule in one pass over the logits: the kernel does for the rule what else it would do in passes of its
own."""

import torch
from torch import Tensor

from ..ops import Bound, fused, kernels
from ..ops.beside import Told
from ..ops.shapes import Call
from ..rule.protocol import Rule
from .functional import check_consumable, explained, known_divisor


def one_pass(
    name: str,
    rule: Rule,
    call: Call,
    bound: Bound,
    *,
    ignore_index: int,
    reduction: str,
    normalizer: float | Tensor | None,
    consume: bool,
    learning: bool,
) -> Tensor | None:
    """The reduced loss, and where `learning` what the rule has to see; None where the rule has to be asked by its methods."""
    if torch.compiler.is_compiling() or (beside := rule.beside()) is None:
        return None
    logits, target, weight = call.logits, call.target, call.weight
    norm = known_divisor(bound.norm, reduction, normalizer)
    # the mass would hold what the rule weighs, where a rule's Z is that of the caller's weights
    if norm is None or (norm == "mass" and beside.regions is not None):
        return None
    if bound.link.exclusive and target.is_floating_point():
        return None
    fastest = kernels.of(logits.device)
    if not fastest.beside or fastest.refusal(logits, target, bound, weight):
        return None
    if consume and torch.is_grad_enabled() and logits.requires_grad:
        check_consumable(name, logits)
    if learning and beside.told:
        beside = beside._replace(out=torch.empty(bound.link.items(logits.shape)))
    value = explained(
        name,
        call,
        bound.link,
        ignore_index,
        lambda: fused.reduced(fastest, logits, target, bound, weight, ignore_index, norm, consume, beside),
    )
    if learning:
        rule.driver.keep(rule.gather(Told(beside.out, logits, target, weight, bound.link, ignore_index)))
    return value
