"""Files of predictions: what is accepted means what it says, and what is wrong gets one clear line."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from fmfp_lib import metrics
from fmfp_lib.prediction_files import read
from fmfp_lib.predictions import from_arrays

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(60, 3)).astype(np.float32) * 3
LABELS = np.where(RNG.random(60) < 0.7, LOGITS.argmax(1), RNG.integers(0, 3, 60))
P = metrics.softmax(LOGITS)
CONFIDENCE, CORRECT = P.max(1), P.argmax(1) == LABELS
NAMES = np.array(["cat", "dog", "emu"])


def written(path, **columns):
    """A file of the given columns at `path`; each ending in its own way."""
    if path.suffix == ".npz":
        np.savez(path, **columns)
    else:
        flat = {}
        for name, values in columns.items():
            values = np.asarray(values)
            flat |= {f"{name}_{i}": v for i, v in enumerate(values.T)} if values.ndim == 2 else {name: values}
        pd.DataFrame(flat).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("ending", ["npz", "csv"])
@pytest.mark.parametrize(
    "columns",
    [
        {"logits": LOGITS, "labels": LABELS},
        {"logit": LOGITS, "y_true": LABELS.astype(float)},
        {"probabilities": P, "labels": LABELS},
        {"proba": P, "target": LABELS},
        {"predictions": LOGITS, "label_ids": LABELS},  # Hugging Face
        {"confidence": CONFIDENCE, "correct": CORRECT},
        {"conf": CONFIDENCE, "correct": CORRECT.astype(int)},
        {"confidence": CONFIDENCE, "predicted": P.argmax(1), "labels": LABELS},
        {"confidence": CONFIDENCE, "predicted": NAMES[P.argmax(1)], "labels": NAMES[LABELS]},
    ],
)
def test_every_accepted_form_means_the_same(tmp_path, ending, columns):
    if ending == "csv" and "predictions" in columns:
        pytest.skip("only its arrays go by that name")
    found = read(written(tmp_path / f"mine.{ending}", **columns))
    assert found.name == "mine" and np.array_equal(found.correct, CORRECT)
    assert np.allclose(found.confidence, CONFIDENCE, atol=1e-6)
    if found.kind != "confidence":
        assert found.loss.mean() == pytest.approx(metrics.nll(LOGITS, LABELS), abs=1e-5)
        assert found.brier.mean() == pytest.approx(metrics.brier(P, LABELS), abs=1e-5)


def test_npy_pairs(tmp_path):
    for name, array in {"z": LOGITS, "p": P, "y": LABELS, "c": CONFIDENCE, "k": CORRECT}.items():
        np.save(tmp_path / f"{name}.npy", array)
    for first, second, kind in (("z", "y", "logits"), ("p", "y", "probabilities"), ("c", "k", "confidence")):
        found = read(tmp_path / f"{first}.npy", tmp_path / f"{second}.npy")
        assert found.kind == kind and np.array_equal(found.correct, CORRECT) and not found.notes


def test_labels_by_name(tmp_path):
    named = read(written(tmp_path / "a.npz", logits=LOGITS, labels=NAMES[LABELS], classes=NAMES))
    assert np.array_equal(named.correct, CORRECT) and named.labels[0] == NAMES[LABELS[0]]
    numbered = read(written(tmp_path / "b.npz", logits=LOGITS, labels=LABELS, classes=NAMES))
    assert np.array_equal(numbered.labels, named.labels)
    # In another order, with an index column and with semicolons, as spreadsheets like it.
    table = pd.DataFrame(P[:, ::-1], columns=[f"prob_{n}" for n in NAMES[::-1]]).assign(label=NAMES[LABELS])
    table.to_csv(tmp_path / "c.csv", sep=";")
    assert np.array_equal(read(tmp_path / "c.csv").labels, named.labels)
    # Classes that are numbers, but not from 0: by value.
    sevens = read(written(tmp_path / "d.npz", probabilities=P, labels=LABELS + 7, classes=[7, 8, 9]))
    assert np.array_equal(sevens.correct, CORRECT) and set(sevens.labels) == {"7", "8", "9"}


def test_columns_are_ordered_by_their_numbers(tmp_path):
    z = RNG.normal(size=(30, 12))
    table = pd.DataFrame({f"logit_{i}": z[:, i] for i in RNG.permutation(12)}).assign(label=z.argmax(1))
    table.to_csv(tmp_path / "a.csv", index=False)
    assert read(tmp_path / "a.csv").correct.all()


def test_two_classes_in_one_column():
    y = np.array([0, 1, 1, 0])
    for column in (np.array([0.2, 0.9, 0.4, 0.3]), np.array([[0.2], [0.9], [0.4], [0.3]])):
        found = from_arrays(probabilities=column, labels=y)
        assert found.correct.tolist() == [True, True, False, True]
        assert np.allclose(found.confidence, [0.8, 0.9, 0.6, 0.7])
    assert from_arrays(logits=[-2.0, 3.0, -1.0, 4.0], labels=y).correct.tolist() == [True, True, False, False]


def test_group_split_and_id(tmp_path):
    split = np.repeat(["Validation", "test", "train"], 20)
    found = read(
        written(tmp_path / "a.npz", logits=LOGITS, labels=LABELS, split=split, group=np.arange(60) % 2, id=split)
    )
    assert len(found.part("calibration")) == len(found.part("test")) == 20
    assert "20 items of the split train are left out." in found.notes
    assert set(found.part("test").group) == {"0", "1"} and found.part("test").id[0] == "test"
    assert from_arrays(confidence=CONFIDENCE, correct=CORRECT).part("test") is None


@pytest.mark.parametrize(
    ("arrays", "note"),
    [
        ({"logits": P, "labels": LABELS}, "The logits are probabilities"),
        ({"logits": LOGITS, "labels": np.eye(3)[LABELS]}, "one-hot"),
        ({"logits": np.hstack([LOGITS, LOGITS.min(1, keepdims=True)]), "labels": LABELS}, "1 of the 4 classes: 3"),
        ({"probabilities": P, "labels": LABELS, "confidence": CONFIDENCE}, "labels are there: confidence."),
        ({"logits": LOGITS, "confidence": CONFIDENCE, "correct": CORRECT}, "no labels are there: logits."),
        ({"confidence": 5 * CONFIDENCE, "correct": CORRECT}, "not within [0, 1], so calibration is left out"),
        ({"probabilities": np.eye(3)[P.argmax(1)], "labels": LABELS}, "probability of exactly 0"),
    ],
)
def test_what_is_unusual_is_said(arrays, note):
    found = from_arrays(**arrays)
    assert any(note in n for n in found.notes) and np.array_equal(found.correct, CORRECT)


def test_saturated_confidences_are_counted_and_their_effect_shown():
    z = np.array([[40, 0, 0], [39, 0, 0], [38, 0, 0], [1, 0, 0]], np.float32)
    y = np.array([0, 0, 1, 1])
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    (note,) = [n for n in from_arrays(probabilities=p, labels=y).notes if "exactly 1" in n]
    # The error last of the three: an AUROC of 1, risks 0, 0, 1/3, 1/2; first: 2 of 4 pairs, risks 1, 1/2, 1/3, 1/2.
    assert note.startswith("3 confidences are exactly 1, 1 of them wrong")
    assert "AUROC 50.00 to 100.00 %, AURC 208.33 to 583.33 ×10⁻³" in note
    z = z / np.float32(2)  # in float64 they can be told apart
    (note,) = [n for n in from_arrays(logits=z, labels=y).notes if "float32" in n]
    assert "make 3 confidences exactly 1 (AUROC 75.00 %" in note and "the values are AUROC 100.00 %" in note
    assert "still 1" not in note
    z = z * np.float32(2.1)  # nor can float64, but their log-odds can be
    (note,) = [n for n in from_arrays(logits=z, labels=y).notes if "float32" in n]
    assert "the values are AUROC 100.00 %" in note and "In float64 3 are still 1" in note
    assert not from_arrays(logits=LOGITS, labels=LABELS).notes


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("confidence, predicted, label\n.9, cat, cat\n.8, dog, cat\n", 1),  # spaces after the commas
        ("id, label, prob_cat, prob_dog\n007, cat, .9, .1\n8, cat, .3, .7\n", 1),
        ("label,prob_01,prob_02\n01,.9,.1\n01,.8,.2\n", 0),  # names, no numbers
        ("label,prob_None,prob_NA\nNone,.9,.1\nNA,.2,.8\n", 0),  # and nothing is missing
        ("label,prob_0,prob_1\n1.0,.1,.9\n0.0,.2,.8\n", 1),
        ("label,prob_0,prob_1\nTRUE,.1,.9\nFALSE,.2,.8\n", 1),
        ("label,prob_True,prob_False\nTRUE,.9,.1\nFALSE,.8,.2\n", 1),
        ("confidence,predicted,label\n.9,True,TRUE\n.8,False,TRUE\n", 1),
        ("confidence,predicted,label\n.9,1,True\n.8,0,True\n", 1),
        ("label,prob_0\n1,0\n0,1.0000000000000002\n", 0),
        ("label,prob_0\n1,.1\n0,.8\n", 0),  # one of two classes, the first
        ("label,prob_1\n1,.9\n0,.2\n", 0),
        ("label,logit_0\n1,-3\n0,2\n", 0),
    ],
)
def test_a_csv_means_what_it_says(tmp_path, text, errors):
    (tmp_path / "a.csv").write_text(text)
    found = read(tmp_path / "a.csv")
    assert (~found.correct).sum() == errors
    assert found.id is None or found.id.tolist() == ["007", "8"]


@pytest.mark.parametrize(
    ("predicted", "labels"),
    [
        ([True, False], [1, 1]),
        ([b"a", b"b"], ["a", "a"]),
        ([b"a ", b"b"], ["a", " a"]),
        ([0.0, 1.0], ["0", "0"]),
        (["-1.0", "1.0"], [-1, -1]),
        (["True", "False"], [True, True]),
        (["TRUE", "False"], [True, True]),
    ],
)
def test_classes_are_compared_by_name_whatever_their_type(predicted, labels):
    assert from_arrays(confidence=[0.9, 0.8], predicted=predicted, labels=labels).correct.tolist() == [True, False]


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", " ", "nan"])
def test_nothing_missing_is_a_class_and_a_group_without_a_name_has_none(missing):
    names = np.array(["a", missing, "a"], object)
    with pytest.raises(ValueError, match="labels is missing in 1 of 3 items, first in row 1"):
        from_arrays(confidence=[0.9, 0.8, 0.7], predicted=names, labels=names)
    if str(missing) != "nan" or missing is np.nan:
        assert from_arrays(confidence=[0.9, 0.8, 0.7], correct=[1, 0, 1], group=names).group.tolist() == ["a", "", "a"]
    numbers = from_arrays(confidence=[0.9, 0.8], correct=[1, 0], group=[3.0, np.nan], id=["1.0", "1.00"])
    assert numbers.group.tolist() == ["3", ""] and numbers.id.tolist() == ["1.0", "1.00"]


def test_classes_that_are_words_for_truth_keep_their_columns():
    p, labels = [[0.9, 0.1], [0.8, 0.2]], np.array([True, False])
    found = from_arrays(probabilities=p, labels=labels, classes=["True", "False"])
    assert found.correct.tolist() == [True, False] and found.labels.tolist() == ["True", "False"]


def test_numbers_of_columns_are_told_from_classes_that_are_numbers():
    p = np.eye(3)[[1, 2]]
    with pytest.raises(ValueError, match="labels hold '1', but the classes of the 3 columns are 01, 02, 03"):
        from_arrays(probabilities=p, labels=[1, 2], classes=["01", "02", "03"])
    found = from_arrays(probabilities=p, labels=[1, 0], classes=["01", "02", "03"])
    assert found.correct.tolist() == [True, False] and "numbers of the columns from 0" in found.notes[0]
    assert from_arrays(probabilities=p, labels=[1, 2], classes=["1", "2", "3"]).correct.tolist() == [False, False]


@pytest.mark.parametrize("digits", [2, 3, 4])
def test_rounded_probabilities_are_probabilities(tmp_path, digits):
    z = RNG.normal(size=(500, 10))
    p, y = metrics.softmax(z).round(digits), z.argmax(1)
    for name, array in {"p": p, "y": y, "half": 0.5 * p}.items():
        np.save(tmp_path / f"{name}.npy", array)
    assert (
        read(tmp_path / "p.npy", tmp_path / "y.npy").kind
        == from_arrays(probabilities=p, labels=y).kind
        == "probabilities"
    )
    with pytest.raises(ValueError, match="must lie in .0, 1. and sum to one"):
        read(tmp_path / "half.npy", tmp_path / "y.npy")
    unit = 10.0**-digits
    np.save(tmp_path / "rest.npy", [[0.5 + unit, 0.5, 0, -unit]])  # one minus the rest, which was rounded
    np.save(tmp_path / "y.npy", [0])
    assert read(tmp_path / "rest.npy", tmp_path / "y.npy").kind == "probabilities"


def test_decimals_do_not_excuse_rows_that_cannot_be_rounded_distributions(tmp_path):
    certain = np.eye(1000)[[0] * 150]  # two decimals hold these, but not the rows after them
    for rows, row in ((np.full((5, 1000), 0.0007), 150), (np.zeros((5, 1000)), 150)):
        with pytest.raises(ValueError, match=f"row {row} runs"):
            from_arrays(probabilities=np.r_[certain, rows], labels=[0] * 155)
    np.save(tmp_path / "p.npy", np.array([[1, 1], [0, 1]]))
    np.save(tmp_path / "y.npy", [0, 1])
    with pytest.raises(ValueError, match="in a .npz or a table"):  # not taken for logits
        read(tmp_path / "p.npy", tmp_path / "y.npy")


def nan(array):
    array = np.array(array, float)
    array[[3, 7]] = np.nan
    return array


WRONG = {  # name of the file: its columns, or its bytes, or None for none; what the line must say
    "absent.npz": (None, "there is no such file"),
    "model.pt": (b"", "accepted are .npz, .csv, .parquet, .npy"),
    "no_ending": (b"", "accepted are .npz, .csv, .parquet, .npy"),
    "empty.npz": (b"", "cannot be read"),
    "empty.csv": (b"", "No columns"),
    "head_only.csv": (b"confidence,correct\n", "no rows"),
    "damaged.npz": (b"PK\x03\x04 and then nothing", "cannot be read"),
    "text.npz": (b"confidence,correct\n0.5,1\n", "no plain array"),
    "ragged.csv": (b"confidence,correct\n0.5,1\n0.5,1,1,1\n", "line 3"),
    "damaged.parquet": (b"PAR1", "parquet"),
    "alone.npy": (None, "add --labels LABELS.npy"),
    "pickled.npz": ({"logits": LOGITS, "labels": np.array([None] * 60)}, "labels is no plain array"),
    "nothing_known.npz": ({"features": LOGITS}, "nothing that is known here; expected logits and labels"),
    "no_labels.npz": ({"logits": LOGITS}, "it holds logits; expected logits and labels"),
    "no_correct.csv": ({"confidence": CONFIDENCE}, "it holds confidence; expected"),
    "called_twice.npz": ({"logits": LOGITS, "labels": LABELS, "y": LABELS}, "'labels' and 'y' both stand for labels"),
    "logits_called_probabilities.npz": (
        {"probabilities": LOGITS, "labels": LABELS},
        "if these are logits, call them so",
    ),
    "percent.csv": ({"prob": 100 * P, "label": LABELS}, "sums to 100"),
    "multilabel.npz": ({"probabilities": np.full((60, 3), 0.9), "labels": LABELS}, "sums to 2.7"),
    "nan_logits.npz": ({"logits": nan(LOGITS), "labels": LABELS}, "logits hold NaN, first in row 3"),
    "infinite_logits.npz": (
        {"logits": np.where(LOGITS > 5, np.inf, LOGITS), "labels": LABELS},
        "infinite values, first",
    ),
    "nan_labels.csv": ({"logit": LOGITS, "label": nan(LABELS)}, "labels is missing in 2 of 60 items, first in row 3"),
    "blank_label.csv": (
        b"confidence,predicted,label\n.9,1,1\n.8,2,\n",
        "labels is missing in 1 of 2 items, first in row 1",
    ),
    "nothing_in_common.csv": (
        b"confidence,predicted,label\n.9,cat,1\n.8,dog,2\n",
        "no class in common: labels 1, 2; predicted cat, dog",
    ),
    "one_class.csv": (b"label,prob_spam\n1,.9\n0,.2\n", "have one column alone, of the class 'spam'"),
    "nan_confidence.npz": ({"confidence": nan(CONFIDENCE), "correct": CORRECT}, "confidence is NaN in 2 of 60"),
    "text_confidence.csv": ({"confidence": ["high"] * 60, "correct": CORRECT}, "expected numbers"),
    "text_logits.csv": ({"logit": LOGITS.astype(str).astype(object) + "?", "label": LABELS}, "expected numbers"),
    "soft_labels.npz": ({"logits": LOGITS, "labels": P}, "not one-hot"),
    "two_columns_of_labels.npz": ({"logits": LOGITS, "labels": np.c_[LABELS, LABELS]}, "labels has shape (60, 2)"),
    "half_labels.npz": ({"logits": LOGITS, "labels": LABELS + 0.5}, "labels hold '0.5', but the classes"),
    "fewer_labels.npz": ({"logits": LOGITS, "labels": LABELS[:-1]}, "labels has 59 entries for 60 items"),
    "from_one.npz": ({"logits": LOGITS, "labels": LABELS + 1}, "do they count from 1"),
    "out_of_range.npz": ({"logits": LOGITS, "labels": np.where(LABELS == 1, 17, LABELS)}, "'17', but the classes"),
    "negative.npz": ({"logits": LOGITS, "labels": LABELS - 1}, "labels hold '-1'"),
    "names_only.npz": ({"logits": LOGITS, "labels": NAMES[LABELS]}, "labels hold 'cat', but the classes"),
    "unknown_name.npz": (
        {"logits": LOGITS, "labels": np.where(LABELS == 1, "ant", NAMES[LABELS]), "classes": NAMES},
        "labels hold 'ant', but the classes of the 3 columns are cat, dog, emu",
    ),
    "fewer_names.npz": ({"logits": LOGITS, "labels": LABELS, "classes": NAMES[:2]}, "2 different names for 3 columns"),
    "names_twice.npz": ({"logits": LOGITS, "labels": LABELS, "classes": ["a", "b", "a"]}, "2 different names"),
    "correct_of_three.csv": ({"confidence": CONFIDENCE, "correct": LABELS}, "correct holds 2"),
    "correct_in_words.csv": ({"confidence": CONFIDENCE, "correct": ["maybe"] * 60}, "correct holds maybe"),
    "images.npz": ({"logits": RNG.random((60, 3, 8)), "labels": LABELS}, "logits have shape (60, 3, 8)"),
    "no_items.npz": ({"logits": LOGITS[:0], "labels": LABELS[:0]}, "logits have shape (0, 3)"),
    "unknown_split.npz": ({"logits": LOGITS, "labels": LABELS, "split": ["a", "b"] * 30}, "split holds a, b; expected"),
    "short_group.npz": ({"logits": LOGITS, "labels": LABELS, "group": [1, 2]}, "group has 2 entries for 60 items"),
}


def make(folder, name):
    """The wrong file `name` in `folder`."""
    content, path = WRONG[name][0], folder / name
    if name == "alone.npy":
        np.save(path, LOGITS)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif content is not None:
        written(path, **content)
    return path


@pytest.mark.parametrize("name", WRONG)
def test_wrong_file_gets_one_clear_line(tmp_path, name):
    with pytest.raises(ValueError) as error:
        read(make(tmp_path, name))
    message = str(error.value)
    assert WRONG[name][1] in message and message.startswith(str(tmp_path / name)) and "\n" not in message


def test_labels_beside_a_file_that_has_its_own(tmp_path):
    with pytest.raises(ValueError, match=r"a \.npz holds its own"):
        read(written(tmp_path / "a.npz", logits=LOGITS, labels=LABELS), tmp_path / "y.npy")
    with pytest.raises(ValueError, match="it is a folder"):
        (tmp_path / "b.npz").mkdir()
        read(tmp_path / "b.npz")


def test_parquet(tmp_path, monkeypatch):
    table = pd.DataFrame({"label": LABELS, "logits": list(LOGITS)})
    monkeypatch.setattr(pd, "read_parquet", lambda path: table)  # as pyarrow reads it, which need not be there
    (tmp_path / "a.parquet").write_bytes(b"")
    assert np.array_equal(read(tmp_path / "a.parquet").correct, CORRECT)

    def missing(path):
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setattr(pd, "read_parquet", missing)
    with pytest.raises(ValueError, match="pip install pyarrow"):
        read(tmp_path / "a.parquet")


def test_reading_arrays_loads_neither_torch_nor_pandas(tmp_path):
    path = written(tmp_path / "a.npz", logits=LOGITS, labels=LABELS)
    code = f"import sys; from fmfp_lib.prediction_files import read; read({str(path)!r}); "
    code += "assert not {'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
