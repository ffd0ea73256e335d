"""Labels as Python has them, and as the text that class names are in the library."""
from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Optional

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LABELS_KEY = "python.classes"  # of a model's metadata: what the labels were, where they weren't text


def label_text(label: Any) -> str:
    if isinstance(label, (float, np.floating)):
        label = label + 0  # −0.0 is the same label as 0.0
    return os.fsdecode(label) if isinstance(label, bytes) else str(label)


def classes_of(y: ArrayLike) -> NDArray[Any]:
    """The labels there are, each once, in order."""
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise ValueError(f"y must be a label for each image; its shape is {labels.shape}")
    values = labels.tolist()
    kinds = {type(value) for value in values}
    if not kinds <= {str, bytes, bool, int, float} or any(value != value for value in values):  # NaN
        raise TypeError(f"labels are text, bools or numbers, none of them NaN; these are {labels.dtype}")
    return np.unique(labels)


def labels_to_text(classes: NDArray[Any]) -> Optional[str]:
    """What a model keeps of the labels' type; None: they are text."""
    values = classes.tolist()
    if all(isinstance(value, str) for value in values):
        return None
    if any(isinstance(value, bytes) for value in values):
        return json.dumps({"dtype": "bytes"})
    return json.dumps({"dtype": classes.dtype.str, "values": values})


def labels_from_text(text: Optional[str], names: list[str]) -> NDArray[Any]:
    """The labels of classes that have these names; the names, where the text is not theirs."""
    try:
        kept = json.loads(text) if text else {}
        if kept.get("dtype") == "bytes":
            return np.array([os.fsencode(name) for name in names])
        labels = np.array(kept["values"], kept["dtype"])
        if [label_text(label) for label in labels] == names:
            return labels
    except (ValueError, TypeError, KeyError, AttributeError):
        pass
    return np.array(names)
