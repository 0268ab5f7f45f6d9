"""Every adaptive rule, as the laws take it. A rule of steelyard.adaptive that needs more than counts gets a line here."""

import torch

import steelyard as sy
from steelyard import adaptive
from steelyard.testing.rules import CLASSES, COUNTS, Case, made

TWO = sy.Counts.of(90, 10)
LABELS = sy.Counts([30, 10, 2], kind="multilabel", items=100)


def outer_step(loss, net, x, y) -> None:
    """By an optimiser without state, so that what resumes needs only the loss."""
    outer = adaptive.Bilevel(net, loss, optimizer=lambda p: torch.optim.SGD(p, lr=5.0))
    outer.step((x, y), (x.flip(0), y))


def confusion(loss, net, x, y) -> None:
    valid = y != -100
    found = net(x).argmax(dim=1)
    counts = torch.zeros(CLASSES, CLASSES).index_put((y[valid], found[valid]), torch.tensor(1.0), accumulate=True)
    loss.rule.update(counts)


CASES: dict[str, Case] = {
    "Deferred": Case(lambda: adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(COUNTS), after_epoch=2)),
    "Deferred to another curve": Case(
        lambda: adaptive.Deferred(sy.inverse_frequency(COUNTS), sy.focal(gamma=2.0), after_epoch=2)
    ),
    "Deferred binary": Case(
        lambda: adaptive.Deferred(sy.Recipe(), sy.pos_neg(TWO), after_epoch=2), link="sigmoid", outputs=1
    ),
    "Anneal": Case(
        lambda: adaptive.Anneal(
            sy.class_temperature(COUNTS),
            sy.mix(sy.inverse_frequency(COUNTS), sy.logit_adjustment(COUNTS)),
            over=(0, 4),
            schedule="cosine",
        )
    ),
    "Anneal multilabel": Case(
        lambda: adaptive.Anneal(sy.Recipe(), sy.pos_neg(LABELS), over=(0, 4)), link="sigmoid", outputs=3
    ),
    "Curriculum": Case(lambda: adaptive.Curriculum(COUNTS, over=(0, 4), schedule="power", and_back=True)),
    "Seesaw": Case(lambda: adaptive.Seesaw(CLASSES)),
    "Seesaw from counts, without compensation": Case(lambda: adaptive.Seesaw(COUNTS, p=1.0, q=0.0)),
    "Equalized": Case(lambda: adaptive.Equalized(3), link="sigmoid", outputs=3),
    "Equalized binary": Case(lambda: adaptive.Equalized(1, gamma=2.0, mu=1.0), link="sigmoid", outputs=1),
    "Harmonized": Case(lambda: adaptive.Harmonized(bins=5, least=0.01)),
    "Harmonized binary": Case(lambda: adaptive.Harmonized(), link="sigmoid", outputs=1),
    "Harmonized multilabel": Case(lambda: adaptive.Harmonized(bins=4, momentum=0.0), link="sigmoid", outputs=3),
    "Hardest": Case(lambda: adaptive.hardest(10), exact=False, learns=False),
    "Hardest share, binary": Case(lambda: adaptive.hardest(0.25), link="sigmoid", outputs=1, exact=False, learns=False),
    "Hardest negatives": Case(lambda: adaptive.hardest(negatives=0.5, background=1), exact=False, learns=False),
    "Hardest negatives per item": Case(
        lambda: adaptive.hardest(negatives=1.0, per_item=True), link="sigmoid", outputs=3, exact=False, learns=False
    ),
    "Learned geometric": Case(
        lambda: adaptive.Learned(COUNTS, how="geometric", fields=("weight", "offset", "scale"), prior=0.5)
    ),
    "Learned geometric binary": Case(
        lambda: adaptive.Learned(TWO, how="geometric", fields=("weight", "offset", "scale")), link="sigmoid", outputs=1
    ),
    "Learned geometric multilabel": Case(
        lambda: adaptive.Learned(LABELS, how="geometric", fields=("weight", "offset", "scale")), link="sigmoid"
    ),
    "Learned minimax": Case(lambda: adaptive.Learned(COUNTS, how="minimax", rate=0.5)),
    "Learned minimax multilabel": Case(lambda: adaptive.Learned(LABELS, how="minimax", rate=0.5), link="sigmoid"),
    "Learned bilevel": Case(
        lambda: adaptive.Learned(COUNTS, how="bilevel", start=sy.logit_adjustment(COUNTS)), also=outer_step
    ),
    "Learned bilevel binary": Case(
        lambda: adaptive.Learned(TWO, how="bilevel", fields=("weight", "offset", "scale")),
        link="sigmoid",
        outputs=1,
        also=outer_step,
    ),
    "LearnedCosts": Case(lambda: adaptive.LearnedCosts(CLASSES), also=confusion),
    "LearnedCosts bilevel": Case(lambda: adaptive.LearnedCosts(CLASSES, how="bilevel"), also=outer_step),
    "Mixed": Case(
        lambda: adaptive.Mixed(
            adaptive.Deferred(sy.Recipe(), sy.inverse_frequency(COUNTS), after_epoch=2),
            adaptive.Curriculum(COUNTS, over=(0, 4)),
            sy.mix(sy.focal(gamma=2.0), sy.logit_adjustment(COUNTS)),
        )
    ),
    "Mixed that looks at logits": Case(
        lambda: adaptive.Mixed(adaptive.Seesaw(COUNTS), adaptive.Harmonized(bins=4), sy.inverse_frequency(COUNTS))
    ),
    "BatchStatistics": Case(lambda: adaptive.BatchStatistics(3, warm_up=2)),
    "BatchStatistics by difficulty from counts": Case(
        lambda: adaptive.BatchStatistics(COUNTS, beta=0.5, gamma=1.0, momentum=0.8, warm_up=0)
    ),
    "BatchStatistics multilabel": Case(
        lambda: adaptive.BatchStatistics(LABELS, gamma=0.5, warm_up=3), link="sigmoid", outputs=3
    ),
    "BatchStatistics of labels": Case(lambda: adaptive.BatchStatistics(3, warm_up=0), link="sigmoid", outputs=3),
    "BatchStatistics binary": Case(lambda: adaptive.BatchStatistics(TWO, gamma=1.0), link="sigmoid", outputs=1),
    "FBetaKnee": Case(lambda: adaptive.FBetaKnee(grid=100), link="sigmoid", outputs=1),
    "FBetaKnee softmax": Case(lambda: adaptive.FBetaKnee(family="gaussian", squared=True), outputs=2),
    "CalibratedMaps": Case(lambda: adaptive.CalibratedMaps(lambda y: 1.0 + 2.0 * (y == 2), share=0.3)),
    "CalibratedMaps of labels": Case(
        lambda: adaptive.CalibratedMaps(lambda y: 1.0 + y.clamp(min=0), sy.focal(gamma=1.0), share=0.5),
        link="sigmoid",
        outputs=3,
    ),
    "CalibratedMaps by boundaries": Case(
        lambda: adaptive.CalibratedMaps(lambda y: 1.0 + 3.0 * (y == 1), boundary_f=0.9, radius=1), space=(4, 5)
    ),
    "CalibratedMaps by a spatial map": Case(
        lambda: adaptive.CalibratedMaps(sy.spatial.Map("contour", ignore=-100), share=0.3),
        link="sigmoid",
        outputs=2,
        space=(4, 5),
    ),
}
CASES |= {
    "Uncertainty": Case(lambda: adaptive.Uncertainty(COUNTS, largest=10.0)),
    "Uncertainty binary": Case(lambda: adaptive.Uncertainty(2), link="sigmoid", outputs=1),
    "Uncertainty multilabel": Case(lambda: adaptive.Uncertainty(LABELS), link="sigmoid", outputs=3),
    "Uncertainty mixed": Case(lambda: adaptive.Mixed(adaptive.Uncertainty(CLASSES), sy.logit_adjustment(COUNTS))),
    "Family": Case(lambda: adaptive.Family(lambda tau: sy.logit_adjustment(COUNTS, tau=tau), low=0.0, high=3.0)),
    "Family of weights and scales": Case(
        lambda: adaptive.Family(
            lambda v: sy.mix(sy.inverse_frequency(COUNTS, beta=v), sy.class_temperature(COUNTS, gamma=v)),
            low=0.0,
            high=1.0,
            slope=-0.5,
        )
    ),
    "Family multilabel": Case(
        lambda: adaptive.Family(lambda v: sy.pos_neg(LABELS, power=v), low=0.0, high=1.0), link="sigmoid", outputs=3
    ),
}
ALSO = {name for name, rule in adaptive.RULES.items() if not any(type(c.make()) is rule for c in CASES.values())}
CASES |= {name: Case(made(adaptive.RULES[name])) for name in ALSO}  # those that need no more than counts
NOT_COMPILED = {"CalibratedMaps by a spatial map": "the map is made by numpy"}
