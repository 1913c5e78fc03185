"""What every trained model holds to, of whatever world: going on, progress, the best epoch, parameters, files."""

from __future__ import annotations

import copy
import inspect
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from worlds import WORLDS, Ears

import vsenumba as vse
from vsenumba import storage
from vsenumba.models import MODELS, load_model
from vsenumba.models.parameters import Choice, Flag, MemberOf, NameOrSum, Number, Seed, Whole


def same_tables(one, other):
    return one.tables_.keys() == other.tables_.keys() and all(
        np.array_equal(one.tables_[name], other.tables_[name]) for name in one.tables_
    )


def without_clock(history):
    return [{name: value for name, value in record.items() if name != "seconds"} for record in history]


def stop_after(epoch):
    return lambda model, record: record["epoch"] == epoch


@pytest.fixture(params=WORLDS)
def world(request):
    return WORLDS[request.param]


class TestEveryTrainedModel:
    def test_a_checkpoint_resumes_as_if_training_had_never_stopped(self, world, tmp_path):
        straight = world.make().fit(world.data, **world.evaluated())
        checkpoint = vse.Checkpoint(tmp_path / "m.h5")
        world.make().fit(world.data, **world.evaluated(), callbacks=[checkpoint, stop_after(2)])
        resumed = vse.load_model(tmp_path / "m.h5")
        assert len(resumed.history_) == 2
        # Not in the file: who reads it says on how many threads.
        if "deterministic" not in world.parameters:
            resumed.set_params(n_threads=1)
        assert resumed.resume(world.data, **world.evaluated()) is resumed
        assert same_tables(resumed, straight)
        assert without_clock(resumed.history_) == without_clock(straight.history_)
        assert resumed.best_epoch_ == straight.best_epoch_
        # Nothing is left to do.
        assert same_tables(resumed.resume(world.data), straight)

    def test_only_a_checkpoint_can_be_resumed_and_only_with_its_data(self, world, tmp_path):
        model = world.make(n_epochs=2).fit(world.data, callbacks=[stop_after(1)])
        model.save(tmp_path / "m.h5")
        with pytest.raises(vse.InputError, match="has no optimiser's memory"):
            vse.load_model(tmp_path / "m.h5").resume(world.data)
        with pytest.raises(vse.InputError, match="resume needs the data that training began with"):
            model.resume(world.other)
        assert len(model.history_) == 1

    def test_partial_fit_goes_on_through_the_schedule_once_more(self, world):
        model = world.make(schedule="linear").fit(world.data)
        before = {name: table.copy() for name, table in model.tables_.items()}
        model.partial_fit(world.other, n_epochs=2)
        assert model.history_["epoch"].tolist() == [1, 2, 3, 4, 5, 6]
        rates = model.history_["learning_rate"]
        assert rates[4] > rates[3]
        assert rates[5] < rates[4]
        assert (np.diff(model.history_["steps"]) > 0).all()
        assert (np.diff(model.history_["seconds"]) > 0).all()
        assert any(not np.array_equal(table, model.tables_[name][: len(table)]) for name, table in before.items())
        with pytest.raises(vse.InputError, match="n_epochs must be a whole number"):
            model.partial_fit(world.other, n_epochs=0)

    def test_partial_fit_alone_begins(self, world):
        model = world.make().partial_fit(world.data)
        assert model.history_["epoch"].tolist() == [1]
        assert model.n_epochs == 4

    def test_progress_is_told_within_every_epoch(self, world):
        ears = Ears()
        world.make().fit(world.data, callbacks=[ears])
        first = ears.heard[: ears.heard.index("epoch")]
        assert ears.heard.count("epoch") == 2
        assert len(first) >= 1
        assert first == tuple(sorted(first))
        assert first[-1] == 1

    def test_the_best_epoch_is_kept_where_it_is_asked_for(self, world, tmp_path):
        if world.validation is None:
            with pytest.raises(vse.InputError, match="unknown metric 'mrr'"):
                world.make().fit(world.data, callbacks=[vse.EarlyStopping()])
            return
        stopping = vse.EarlyStopping(world.metric, patience=2)
        model = world.make(n_epochs=12).fit(world.data, validation=world.validation, callbacks=[stopping])
        values = model.history_[world.metric]
        assert model.best_epoch_ == stopping.best_epoch_ == 1 + int(np.argmax(values))
        assert stopping.best_value_ == values.max()
        assert len(values) == min(model.best_epoch_ + 2, 12)
        model.save(tmp_path / "m.h5")
        assert vse.load_model(tmp_path / "m.h5").best_epoch_ == model.best_epoch_
        # Training that goes on has a best epoch of its own.
        assert model.partial_fit(world.data, validation=world.validation).best_epoch_ in (0, len(model.history_))

    def test_patience_goes_on_where_a_checkpoint_was(self, world, tmp_path):
        if world.validation is None:
            return
        settings = {"validation": world.validation}
        straight = world.make(n_epochs=12).fit(
            world.data, **settings, callbacks=[vse.EarlyStopping(world.metric, patience=3)]
        )
        callbacks = [vse.EarlyStopping(world.metric, patience=3), vse.Checkpoint(tmp_path / "m.h5"), stop_after(2)]
        world.make(n_epochs=12).fit(world.data, **settings, callbacks=callbacks)
        resumed = vse.load_model(tmp_path / "m.h5")
        if "deterministic" not in world.parameters:
            resumed.set_params(n_threads=1)
        resumed.resume(world.data, **settings, callbacks=[vse.EarlyStopping(world.metric, patience=3)])
        assert without_clock(resumed.history_) == without_clock(straight.history_)
        assert same_tables(resumed, straight)

    def test_patience_that_is_used_up_stays_used_up(self, world, tmp_path):
        """Found 2026-11: a checkpoint of the epoch that ended training was trained for one more."""
        if world.validation is None:
            return
        settings = {"validation": world.validation}
        path = tmp_path / "m.h5"

        def stopping():
            return vse.EarlyStopping(world.metric, patience=1, min_delta=9.0)

        straight = world.make(n_epochs=12).fit(world.data, **settings, callbacks=[stopping(), vse.Checkpoint(path)])
        assert len(straight.history_) < 12
        resumed = vse.load_model(path).resume(world.data, **settings, callbacks=[stopping()])
        assert len(resumed.history_) == len(straight.history_)
        assert same_tables(resumed, straight)

    def test_a_best_epoch_that_is_kept_needs_its_validation(self, world, tmp_path):
        if world.validation is None:
            return
        stopping = vse.EarlyStopping(world.metric, patience=3)
        callbacks = [stopping, vse.Checkpoint(tmp_path / "m.h5"), stop_after(2)]
        world.make().fit(world.data, validation=world.validation, callbacks=callbacks)
        resumed = vse.load_model(tmp_path / "m.h5")
        with pytest.raises(vse.InputError, match="pass the validation set again"):
            resumed.resume(world.data)
        assert len(resumed.history_) == 2

    def test_a_model_with_its_best_epoch_put_back_is_no_checkpoint(self, world):
        """Found 2026-11: the optimiser's memory of the last epoch went with the tables of the best one."""
        if world.validation is None:
            return
        stopping = vse.EarlyStopping(world.metric, patience=1, min_delta=9.0)
        model = world.make(n_epochs=12).fit(world.data, validation=world.validation, callbacks=[stopping])
        assert model.best_epoch_ < len(model.history_)
        with pytest.raises(vse.InputError, match="resume from a checkpoint"):
            model.resume(world.data, validation=world.validation)
        assert len(model.partial_fit(world.data).history_) > model.best_epoch_ + 1

    def test_one_callback_needs_no_list(self, world):
        assert len(world.make().fit(world.data, callbacks=stop_after(1)).history_) == 1
        assert len(world.make().fit(world.data, callbacks=vse.TimeBudget(1e-9)).history_) == 1
        with pytest.raises(vse.InputError, match="a callback must be a Callback or a function"):
            world.make().fit(world.data, callbacks=[vse.TimeBudget])

    def test_tables_of_other_parameters_are_not_trained(self, world):
        """Found 2026-11: kernels went through tables of another width."""
        model = world.make().fit(world.data, callbacks=[stop_after(1)])
        before = {name: table.copy() for name, table in model.tables_.items()}
        model.set_params(n_factors=3)
        for train in (model.partial_fit, model.resume):
            with pytest.raises(vse.InputError, match="fit.* again"):
                train(world.data)
        assert all(np.array_equal(before[name], table) for name, table in model.tables_.items())

    def test_vectors_are_asked_for_by_name(self, world):
        model = world.make(n_epochs=1).fit(world.data)
        for what in model.exports:
            names, vectors = model.vectors(what, world.data)
            assert vectors.shape == (len(names), model.n_factors)
            assert vectors.dtype == np.float32
        with pytest.raises(vse.UnknownNameError, match="unknown what 'fish'"):
            model.vectors("fish", world.data)
        with pytest.raises(vse.InputError, match="has no vectors"):
            vse.PopularityAnnotator().vectors("labels")

    def test_one_epoch_is_the_best_by_one_metric(self, world):
        stopping = [vse.EarlyStopping("mrr"), vse.EarlyStopping("auc")]
        with pytest.raises(vse.InputError, match="not by auc .* and mrr"):
            world.make().fit(world.data, callbacks=stopping)

    def test_where_it_was_trained_is_no_parameter_of_the_file(self, world, tmp_path):
        world.make(n_threads=1).fit(world.data).save(tmp_path / "m.h5")
        elements = storage.read_file(tmp_path / "m.h5", "model").elements
        assert not {"n_threads", "device"} & elements["parameters"].keys()
        loaded = vse.load_model(tmp_path / "m.h5")
        assert loaded.n_threads is None
        assert loaded.provenance_["n_threads"] == 1
        assert loaded.provenance_["device"] == "cpu"

    def test_files_from_before_the_frame_load(self, world, tmp_path):
        """Until 2026-11 files had the number of threads among the parameters, and one had another name."""
        model = world.make().fit(world.data)
        model.save(tmp_path / "m.h5")
        elements = storage.read_file(tmp_path / "m.h5", "model").elements
        parameters = elements.pop("parameters") | {"n_threads": 64}
        if "max_grad_norm" in parameters:
            parameters["longest_gradient"] = parameters.pop("max_grad_norm") + 1
        if "deterministic" in parameters and "inputs" in parameters:
            parameters["device"] = "abacus"
        plain = {name: elements.pop(name) for name in ("class", "seed", "about")}
        storage.write_file(
            tmp_path / "old.h5", "model",
            {"parameters": storage.Json(parameters), **{k: storage.Json(v) for k, v in plain.items()}, **elements},
        )  # fmt: skip
        loaded = vse.load_model(tmp_path / "old.h5")
        assert loaded.n_threads is None
        assert same_tables(loaded, model)
        if hasattr(loaded, "max_grad_norm"):
            assert loaded.max_grad_norm == model.max_grad_norm + 1

    @pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model)), clone])  # noqa: S301
    def test_it_can_be_copied(self, world, copied):
        model = world.make(n_epochs=1).fit(world.data)
        other = copied(model)
        assert other.get_params().keys() == model.get_params().keys()
        assert copied is clone or same_tables(other, model)
        with pytest.raises(AttributeError, match="no attribute 'fish_'"):
            _ = other.fish_

    def test_a_diverged_epoch_is_not_in_the_history(self, world):
        name = next(iter(world.make(n_epochs=1).fit(world.data).tables_))
        model = world.make()

        def spoil(model, record):
            if record["epoch"] == 2:
                model.tables_[name][0] = np.nan

        with np.errstate(all="ignore"), pytest.raises(vse.TrainingDivergedError, match="after epoch 3"):
            model.fit(world.data, callbacks=[spoil])
        assert model.history_["epoch"].tolist() == [1, 2]


# Parameters.

BAD = {
    Whole: [4.0, "x", True, np.nan, -1, 2**63],
    Number: ["x", True, np.nan, np.inf, -1, [1]],
    Flag: [1, "yes", None, np.array([True, False])],
    Choice: ["nope", 3, [1], np.array(["a", "b"])],
    MemberOf: ["nope", 3, ["mean"], object, np.array(["a", "b"])],
    NameOrSum: ["nope", 3, ("ids", "ids"), None],
    Seed: ["x", -1, 1.5],
}
CASES = [
    (kind, name, value)
    for kind, model in MODELS.items()
    for name, parameter in model.PARAMETERS.items()
    for value in [*BAD[type(parameter)], *([] if parameter.none else [None])]
]


@pytest.mark.parametrize("kind", MODELS)
def test_the_table_is_the_constructor(kind):
    model = MODELS[kind]
    parameters = inspect.signature(model.__init__).parameters
    assert list(model.PARAMETERS) == [name for name in parameters if name not in ("self", "args", "kwargs")]
    assert all(parameter.meaning.endswith(".") for parameter in model.PARAMETERS.values())
    assert all(f"    {name}" in (model.__doc__ or "") or f", {name}" in model.__doc__ for name in model.PARAMETERS)
    # The defaults can be used, and those that are None say what they stand for.
    model().check_parameters()


@pytest.mark.parametrize(("kind", "name", "value"), CASES)
def test_bad_values_are_refused_by_the_same_rules_in_all_models(kind, name, value):
    """Found 2026-11: `WordEmbedder(n_factors=4.0)`, `learning_rate="x"` and `n_threads="x"` ended in tracebacks."""
    model = MODELS[kind](**{name: value})
    with pytest.raises(vse.VsenumbaError) as caught:
        model.check_parameters()
    family = getattr(model.PARAMETERS[name], "family", None)
    assert name in str(caught.value) or family.kind in str(caught.value)


@pytest.mark.parametrize("kind", MODELS)
def test_parameters_come_back_from_files_and_texts(kind):
    model = MODELS[kind]()
    for name, parameter in model.PARAMETERS.items():
        value = getattr(model, name)
        assert parameter.from_json(parameter.to_json(value)) == value
        if isinstance(value, (str, float)) or (isinstance(value, int) and not isinstance(value, bool)):
            assert parameter.parse(name, str(value)) == value
        elif isinstance(value, bool):
            assert parameter.parse(name, "true") is True
        elif value is None and parameter.none:
            assert parameter.parse(name, "none") is None


def test_members_are_set_by_name_whatever_stands_for_them():
    model = vse.ImageAnnotator().set_params(sampler__lam=0.3)
    assert model.sampler == vse.AdaptiveSampler(lam=0.3, n_candidates=None)
    model = vse.ImageAnnotator().set_params(inputs="ids", sampler__n_candidates=3)
    assert model.sampler == vse.DynamicSampler(n_candidates=3)
    assert vse.ImageAnnotator(loss="hinge").set_params(loss__margin=2).loss == vse.HingeLoss(margin=2)
    assert vse.WordEmbedder().set_params(sampler__power=0.5).sampler == vse.PopularitySampler(power=0.5)
    retriever = vse.CrossModalRetriever(objective="lseh").set_params(objective__margin__weight=0.5)
    assert retriever.objective == vse.LSEH(margin=vse.SemanticMargin(weight=0.5))
    retriever = vse.CrossModalRetriever(objective=vse.ConstantK()).set_params(objective__negatives__k=3)
    assert retriever.objective.negatives.k == 3
    assert retriever.get_params()["objective__negatives__k"] == 3
    with pytest.raises(vse.InputError, match="logistic has no parameters, so margin cannot be set"):
        vse.ImageAnnotator().set_params(loss__margin=1)
    with pytest.raises(vse.UnknownNameError, match="unknown parameter of adaptive 'lamb'; did you mean 'lam'"):
        vse.ImageAnnotator().set_params(sampler__lamb=1)
    with pytest.raises(vse.InputError, match="l2 is 0.001, which has no parameters of its own"):
        vse.ImageAnnotator().set_params(l2__rate=1)
    with pytest.raises(ValueError, match="Invalid parameter 'fish'"):
        vse.ImageAnnotator().set_params(fish__rate=1)
    with pytest.raises(vse.InputError, match="margin of adopt is 0.2, which has no parameters of its own"):
        vse.CrossModalRetriever().set_params(objective__margin__weight=1)


def test_a_member_that_is_set_badly_stays_as_it_was():
    sampler = vse.AdaptiveSampler()
    with pytest.raises(vse.InputError, match="lam must be"):
        sampler.set_params(n_candidates=3, lam=-1)
    assert sampler == vse.AdaptiveSampler()
    assert sampler.set_params(n_candidates=3) is sampler
    assert str(sampler) == "adaptive (n_candidates=3)"


def test_one_model_does_not_change_what_another_takes_by_default():
    """Found 2026-11: `member` handed out the object that all models share."""
    model = vse.ImageAnnotator()
    model.member("sampler").set_params(lam=9.0)
    assert model.member("sampler").lam == vse.ImageAnnotator().member("sampler").lam == 0.1
    with pytest.raises(vse.UnknownNameError, match="unknown parameter 'smpler'; did you mean 'sampler'"):
        model.member("smpler")


def test_parameters_are_set_together_or_not_at_all():
    model = vse.ImageAnnotator(loss="hinge")
    before = model.get_params()
    for bad in ({"loss__margin": 2.0, "sampler__lamb": 1}, {"n_factors": 8, "sampler__lam": -1}):
        with pytest.raises(vse.VsenumbaError):
            model.set_params(**bad)
        assert model.get_params() == before


def test_the_optimisers_memory_is_that_of_the_optimiser():
    """Found 2026-11: a kernel wrote past the end of the memory of plain gradient descent."""
    data = WORLDS["labels"].data
    model = WORLDS["labels"].make(optimiser="sgd").fit(data)
    with pytest.raises(vse.InputError, match="the optimiser's memory does not belong to"):
        model.set_params(optimiser="adagrad").partial_fit(data)


def test_inputs_belong_to_the_tables_they_were_fitted_with():
    """Found 2026-11: a model of labels that was set to ids ended in a KeyError."""
    data = WORLDS["labels"].data
    model = WORLDS["labels"].make(n_epochs=1).fit(data).set_params(inputs="ids")
    for use in (model.partial_fit, model.resume, model.embed, model.annotate):
        with pytest.raises(vse.InputError, match="fitted with other inputs"):
            use(data)


# Files.


@pytest.mark.parametrize("wanted", [vse.ImageAnnotator, vse.WordEmbedder, vse.CrossModalRetriever])
def test_a_file_of_another_kind_is_named(world, wanted, tmp_path):
    world.make(n_epochs=1).fit(world.data).save(tmp_path / "m.h5")
    if issubclass(world.model, wanted):
        assert type(load_model(tmp_path / "m.h5", wanted)) is world.model
        return
    message = f"m.h5 holds a model of {world.model.subject} .*, not a model of {wanted.subject}"
    with pytest.raises(vse.InputError, match=message):
        load_model(tmp_path / "m.h5", wanted)
