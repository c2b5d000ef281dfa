"""SAM, averaging and the loop, against their definitions."""

import copy

import numpy as np
import pytest
import torch

from fmfp_lib import cost, networks, schedule
from fmfp_lib.methods import METHODS
from fmfp_lib.randomness import seeded
from fmfp_lib.settings import Settings
from fmfp_lib.training import SAM, Run, batches, checkpoint, evaluate, frozen_batch_norm_statistics, train
from fmfp_lib.training.sam import counting_at_once


@pytest.fixture(autouse=True)
def own_records(tmp_path, monkeypatch):
    monkeypatch.setenv("FMFP_RECORDS", str(tmp_path))


def small(**values):
    return Settings(**({"scale": "smoke", "train_size": 130, "test_size": 40, "device": "cpu"} | values))


def weights(run):
    return torch.cat([p.detach().flatten() for p in run.model.parameters()])


def test_sam_on_a_quadratic_takes_the_step_known_by_hand():
    # f = (w1^2 + 4 w2^2) / 2 at (3, 1): gradient (3, 4), norm 5; rho 0.5 climbs to (3.3, 1.4),
    # where the gradient is (3.3, 5.6); a step of 0.1 ends at (2.67, 0.44).
    w = torch.nn.Parameter(torch.tensor([3.0, 1.0]))
    sam = SAM(torch.optim.SGD([w], 0.1), 0.5)
    (0.5 * (w * w * torch.tensor([1.0, 4.0])).sum()).backward()
    before = w.detach().clone()
    sam.first_step()
    assert torch.allclose(w, torch.tensor([3.3, 1.4]))
    assert torch.isclose((w.detach() - before).norm(), torch.tensor(0.5))
    (0.5 * (w * w * torch.tensor([1.0, 4.0])).sum()).backward()
    sam.second_step()
    assert torch.allclose(w, torch.tensor([2.67, 0.44]))


def test_sam_brings_the_weights_back_bit_for_bit():
    w = torch.nn.Parameter(torch.randn(1000, generator=torch.Generator().manual_seed(0)))
    before, sam = w.detach().clone(), SAM(torch.optim.SGD([w], 0.0), 0.05)
    for step in (sam.first_step, sam.second_step):
        (w**3).sum().backward()
        step()
    assert torch.equal(w, before)


def test_sam_with_rho_zero_takes_the_steps_of_sgd():
    sgd, sam = Run(small(method="baseline")), Run(small(method="sam", rho=0.0))
    sgd.train_epoch(), sam.train_epoch()
    assert torch.equal(weights(sgd), weights(sam))
    other = Run(small(method="sam", rho=0.05))
    other.train_epoch()
    assert not torch.equal(weights(sgd), weights(other))


def test_every_kth_step_is_sams():
    taken = [schedule.takes_sam_step(METHODS["sam_k5"], Settings(epochs=10), 0, step) for step in range(11)]
    assert [step for step, sam in enumerate(taken) if sam] == [0, 5, 10]
    settings = small(epochs=10).complete()  # 2 steps an epoch; FMFP takes SAM's in epochs 6 to 9
    shares = {m: cost.share_of_sam_steps(METHODS[m], settings) for m in ("baseline", "sam", "sam_k2", "fmfp_k2")}
    assert shares == {"baseline": 0, "sam": 1, "sam_k2": 0.5, "fmfp_k2": 0.2}
    costs = {m: cost.training_cost(METHODS[m], settings) for m in ("baseline", "sam", "fmfp", "regmixup", "sure")}
    assert costs == pytest.approx({"baseline": 10, "sam": 20, "fmfp": 14, "regmixup": 20, "sure": 28})
    run, passes = Run(small(method="sam_k2", epochs=10)), []
    once = run.loss_and_gradient
    run.loss_and_gradient = lambda batch, *a, **k: passes.append(batch.seed) or once(batch, *a, **k)
    run.train_epoch(), run.train_epoch()
    assert [passes.count(seed) for seed in dict.fromkeys(passes)] == [2, 1, 2, 1]


def test_batch_norm_alone_is_perturbed_and_all_weights_take_the_step():
    # The step of SAM-ON from its definition: e = rho g / ||g|| over batch norm's weights, the gradient there, SGD.
    run = Run(small(method="sam_bn", protocol="code", momentum=0.0, weight_decay=0.0))
    run.model.train()
    x, y, index = next(iter(run.images.batches(run.generator)))
    model = copy.deepcopy(run.model)
    norms = [p for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d) for p in m.parameters()]
    loss = torch.nn.functional.cross_entropy
    slopes = torch.autograd.grad(loss(model(x), y), norms)
    norm = torch.cat(slopes).norm()
    with torch.no_grad():
        for p, slope in zip(norms, slopes, strict=True):
            p += 0.05 * slope / norm
    there = torch.autograd.grad(loss(model(x), y), list(model.parameters()))
    expected = [p - 0.1 * g for p, g in zip(run.model.parameters(), there, strict=True)]
    batch = batches.fill(run, x, y, index, 0)
    run.loss_and_gradient(batch, run.sam.perturbed)
    assert run.model.classifier.weight.grad is None  # nothing is computed that is not used
    run.sam.first_step()
    run.loss_and_gradient(batch)
    run.sam.second_step()
    for p, e in zip(run.model.parameters(), expected, strict=True):
        assert torch.allclose(p, e, atol=1e-5)
    with pytest.raises(ValueError, match="no weights to perturb"):
        SAM(run.optimizer, 0.05, [])


def test_frozen_statistics_stay_and_the_output_is_that_of_training():
    layer = torch.nn.BatchNorm2d(3)
    other, x = copy.deepcopy(layer), torch.randn(8, 3, 4, 4)
    with frozen_batch_norm_statistics(layer):
        frozen = layer(x)
    assert torch.equal(layer.running_mean, torch.zeros(3)) and layer.num_batches_tracked == 0
    assert torch.equal(frozen, other(x)) and not torch.equal(other.running_mean, torch.zeros(3))
    layer(x)
    assert torch.equal(layer.running_mean, other.running_mean)


NETWORKS = (
    "preact_resnet8_w8_s2", "vgg8_w8", "resnet9_w8", "wideresnet10_k1_s2", "densenet16_g8_s2", "convmixer32_d4_p4",
    "mobilenet_v2", "efficientnet", "resnet18",
)  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
@torch.no_grad()
def test_counting_at_once_leaves_what_is_left_where_each_layer_counts(network):
    plain = networks.create(network, 10)
    other, x, outputs = copy.deepcopy(plain), torch.randn(2, 3, 32, 32), []
    for model, function in ((plain, plain), (other, counting_at_once(other))):
        with seeded(0):
            outputs.append(torch.stack([function(x), function(x.flip(3))]))
        with frozen_batch_norm_statistics(model):
            function(x)
        model.eval()
        function(x)
    states = plain.state_dict(), other.state_dict()
    assert torch.equal(*outputs) and list(states[0]) == list(states[1])
    assert all(torch.equal(a, b) for a, b in zip(*map(dict.values, states), strict=True))
    assert {int(a) for name, a in states[1].items() if name.endswith("num_batches_tracked")} == {2}


def test_a_pass_that_fails_leaves_the_counters_in_place():
    model = torch.nn.Sequential(torch.nn.BatchNorm2d(3), torch.nn.Linear(7, 2))
    with pytest.raises(RuntimeError):
        counting_at_once(model)(torch.zeros(2, 3, 4, 4))
    assert model[0].num_batches_tracked == 0


@pytest.mark.parametrize(("protocol", "count"), [("paper", 2), ("code", 4)])
def test_second_pass_updates_statistics_in_the_code_protocol_only(protocol, count):
    run = Run(small(method="sam", protocol=protocol))
    run.train_epoch()
    assert run.model.norm.num_batches_tracked == count


def test_swa_is_the_arithmetic_mean():
    run, seen = Run(small(method="swa", epochs=5)), []
    while run.epoch < 5:
        averaged = schedule.averages(run.method, run.settings, run.epoch)
        run.train_epoch()
        if averaged:
            seen.append(weights(run))
    mean = torch.cat([p.detach().flatten() for p in run.average.module.parameters()])
    assert len(seen) == 2
    assert torch.allclose(mean, torch.stack(seen).mean(0), atol=1e-6)


def test_average_of_one_is_that_one():
    run = Run(small(method="swa", epochs=1))
    run.train_epoch()
    assert torch.equal(weights(run), torch.cat([p.detach().flatten() for p in run.average.module.parameters()]))


def test_schedules_scale_with_the_epochs():
    for epochs in (100, 200):
        settings = Settings(epochs=epochs)
        rates = [schedule.learning_rate(METHODS["baseline"], settings, epochs * f) for f in (0.39, 0.41, 0.66, 0.9)]
        assert rates == pytest.approx([0.1, 0.01, 0.001, 0.0001])
        assert schedule.learning_rate(METHODS["fmfp"], settings, 0.6 * epochs) == pytest.approx(0.05)
    late = [schedule.takes_sam_step(METHODS["fmfp"], Settings(epochs=10), e, e) for e in range(10)]
    assert late == [False] * 6 + [True] * 4
    assert schedule.takes_sam_step(METHODS["fmfp"], Settings(epochs=10, protocol="code"), 0, 0)


def test_tiny_imagenet_has_a_schedule_of_its_own():
    settings = Settings(dataset="tiny_imagenet", scale="paper").complete()
    rates = [schedule.learning_rate(METHODS["baseline"], settings, e) for e in (39.9, 40, 69.9, 70)]
    assert (settings.epochs, rates) == (90, pytest.approx([0.1, 0.01, 0.01, 0.001]))
    averaged = [e for e in range(90) if schedule.averages(METHODS["swa"], settings, e)]
    assert averaged == list(range(50, 90)) and schedule.shared_checkpoint(METHODS["fmfp"], settings) == ("baseline", 50)
    assert schedule.learning_rate(METHODS["swa"], settings, 50) == pytest.approx(0.05)


@pytest.mark.parametrize("network", ["preact_resnet8_w8_s2", "vgg8_w8"])  # the second has dropout
def test_interrupted_run_resumes_to_the_same_bits(network):
    settings = small(method="fmfp", epochs=4, network=network)
    whole, cut = Run(settings), Run(settings)
    whole.fit(progress=False)
    for _ in range(3):
        cut.train_epoch()
    cut.checkpoint()
    torch.rand(3)  # the global generator has no part in a run
    again = Run(settings)
    again.resume()
    assert again.epoch == 3
    again.fit(progress=False)
    assert torch.equal(weights(whole), weights(again))
    logits = [run.logits(run.finished_model(), run.x_test) for run in (whole, again)]
    assert np.array_equal(*logits)


def test_both_passes_of_sam_see_the_same_dropout():
    run = Run(small(network="vgg8_w8"))
    run.model.train()
    x, y, index = next(iter(run.images.batches(run.generator)))
    first, second, other = (float(run.loss_and_gradient(batches.fill(run, x, y, index, step))[0]) for step in (0, 0, 1))
    assert first == second != other


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_a_smoke_run_and_leaves_a_record(method, tmp_path):
    record = train(small(method=method), progress=False)
    assert record.logits.shape == (40, 10) and len(record.history) == 2
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".checkpoint"] == []
    stamp = record.path.stat().st_mtime_ns
    train(small(method=method), progress=False)
    assert record.path.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(("epochs", "shared"), [(5, 3), (7, 5)])  # of 7 epochs 60 % is no whole number
def test_swa_from_the_shared_checkpoint_equals_swa_from_the_start(epochs, shared, tmp_path):
    alone = train(small(method="fmfp", epochs=epochs), progress=False, keep_weights=True)
    (tmp_path / alone.path.name).rename(tmp_path / "alone")
    train(small(method="baseline", epochs=epochs), progress=False)
    run = Run(small(method="fmfp", epochs=epochs))
    run.resume()
    assert run.epoch == shared
    again = train(small(method="fmfp", epochs=epochs), progress=False, keep_weights=True)
    assert np.array_equal(alone.logits, again.logits)


@pytest.mark.parametrize(("rate", "what"), [(20.0, "the training loss is nan"), (5000.0, "a logit of a test image")])
def test_a_run_that_diverges_says_in_which_epoch_and_what_may_help(rate, what):
    run = dict(train_size=2000, network="vgg8_w8") if rate == 20 else dict(train_size=256)
    with pytest.raises(FloatingPointError, match=f"{what}.* in epoch 1; a smaller learning_rate may help"):
        train(small(learning_rate=rate, **run), progress=False)


def test_a_checkpoint_is_for_one_kind_of_device():
    cpu, cuda = (small().complete().model_copy(update={"device": device}) for device in ("cpu", "cuda"))
    assert cpu.hash() == cuda.hash()
    assert len({path(s) for path in (checkpoint.own_path, checkpoint._shared_by) for s in (cpu, cuda)}) == 4


def test_images_that_stay_in_their_files_allow_one_measure(tmp_path):
    with pytest.raises(ValueError, match="on imagenet.* only fit is measured, not flatness"):
        train(Settings(dataset="imagenet", scale="paper"), measures=["fit", "flatness"], progress=False)


def test_asking_for_the_finished_model_changes_nothing():
    asked, not_asked = Run(small(method="swa", epochs=2)), Run(small(method="swa", epochs=2))
    for run in (asked, not_asked):
        for _ in range(2):
            run.train_epoch()
            if run is asked:
                run.finished_model()
    assert torch.equal(weights(asked), weights(not_asked))
    assert torch.equal(asked.generator.get_state(), not_asked.generator.get_state())


def test_the_last_evaluation_and_the_final_one_share_one_network(monkeypatch):
    made = []
    once = evaluate.finished_model
    monkeypatch.setattr(evaluate, "finished_model", lambda run: made.append(run.epoch) or once(run))
    train(small(method="swa", epochs=5), progress=False, keep_weights=True)
    assert made == [1, 2, 3, 4, 5]


def test_training_leaves_the_callers_random_numbers_alone(monkeypatch):
    def refuse(seed):
        raise AssertionError("a run on the CPU seeds every CUDA device")

    monkeypatch.setattr(torch.cuda, "manual_seed_all", refuse)
    monkeypatch.setattr(torch.cuda, "manual_seed", refuse)
    before = torch.get_rng_state()
    train(small(method="fmfp", network="vgg8_w8"), progress=False, measures=["mc_dropout", "confidnet", "swag"])
    assert torch.equal(torch.get_rng_state(), before)


def test_partners_of_cs_kd_have_the_same_class():
    run = Run(small())
    run.images.augmented = lambda index, generator=None: index  # look at the choice, not at the pixels
    y = torch.arange(10).repeat(3)
    for u in (torch.zeros(30), torch.full((30,), 0.999)):
        assert torch.equal(run.y_train[run.images.of_class(y, u, run.generator)], y)
