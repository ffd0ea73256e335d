"""What comes back from the library, and the options that it takes, as Python has them.

`python3 tests/python/declarations.py --update` writes this file. What each field means is documented in the
headers of C.
"""
from __future__ import annotations

import os
from typing import Any, Literal, NamedTuple, Sequence, TypedDict, Union

PathLike = Union[str, "os.PathLike[str]"]


class Epoch(NamedTuple):
    """The fields of cnn_epoch."""

    epoch: int
    learning_rate: float
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    seconds: float
    images: int

    def asdict(self) -> dict[str, Any]:
        return self._asdict()


class Progress(NamedTuple):
    """The fields of cnn_progress."""

    epoch: int
    epochs: int
    step: int
    steps: int
    images: int
    validating: int
    loss: float
    accuracy: float
    learning_rate: float
    seconds: float

    def asdict(self) -> dict[str, Any]:
        return self._asdict()


class ClassResult(NamedTuple):
    """The fields of cnn_class_result."""

    images: int
    precision: float
    recall: float
    f1: float

    def asdict(self) -> dict[str, Any]:
        return self._asdict()


class DatasetParts(NamedTuple):
    """The fields of cnn_dataset_parts."""

    divided: int
    training: int
    validation: int
    test: int

    def asdict(self) -> dict[str, Any]:
        return self._asdict()


class ImageOptions(TypedDict, total=False):
    """The fields of cnn_image_options."""

    allow_truncated: int
    min_width: int
    min_height: int
    max_pixels: int
    max_file_bytes: int


class PreprocessOptions(TypedDict, total=False):
    """The fields of cnn_preprocess."""

    width: int
    height: int
    fit: Literal["stretch", "crop", "letterbox"]
    mean: Union[float, Sequence[float]]
    scale: Union[float, Sequence[float]]


class AugmentOptions(TypedDict, total=False):
    """The fields of cnn_augment."""

    flip_horizontal: int
    flip_vertical: int
    rotation: float
    zoom: float
    shift: float
    shear: float
    brightness: float
    contrast: float
    saturation: float
    crop_min_area: float
    crop_max_aspect: float
    erase: float


class DatasetOptions(TypedDict, total=False):
    """The fields of cnn_dataset_options."""

    part: Literal["auto", "train", "test", "all", "validation"]
    unlabelled: int
    max_classes: int
    max_file_bytes: int
    max_unpacked_bytes: int
    max_decoded_bytes: int


class LoaderOptions(TypedDict, total=False):
    """The fields of cnn_loader_options."""

    batch_size: int
    shuffle: int
    workers: int
    prefetch_batches: int
    seed: int
    cache_bytes: int
    augment: Union[str, AugmentOptions]
    preprocess: PreprocessOptions


class Conv2dOptions(TypedDict, total=False):
    """The fields of cnn_conv2d_options."""

    kernel: Union[int, Sequence[int]]
    stride: Union[int, Sequence[int]]
    dilation: Union[int, Sequence[int]]
    groups: int
    padding: Literal["valid", "same", "explicit"]
    pads: Union[int, Sequence[int]]
    no_bias: int
    weight_init: Literal["default", "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "zeros"]


class Pool2dOptions(TypedDict, total=False):
    """The fields of cnn_pool2d_options."""

    kernel: Union[int, Sequence[int]]
    stride: Union[int, Sequence[int]]
    padding: Literal["valid", "same", "explicit"]
    pads: Union[int, Sequence[int]]


class DenseOptions(TypedDict, total=False):
    """The fields of cnn_dense_options."""

    no_bias: int
    weight_init: Literal["default", "he_normal", "he_uniform", "glorot_normal", "glorot_uniform", "zeros"]


class BatchNormOptions(TypedDict, total=False):
    """The fields of cnn_batch_norm_options."""

    momentum: float
    epsilon: float


class NetOptions(TypedDict, total=False):
    """The fields of cnn_net_options."""

    size: int
    outputs: int
    batch_norm: int
    dropout: float
    width: float


class OptimizerOptions(TypedDict, total=False):
    """The fields of cnn_optimizer_options."""

    kind: Literal["adam", "adamw", "sgd", "rmsprop", "sgdw"]
    learning_rate: float
    momentum: float
    nesterov: int
    beta1: float
    beta2: float
    alpha: float
    epsilon: float
    weight_decay: float
    clip_norm: float


class ScheduleOptions(TypedDict, total=False):
    """The fields of cnn_schedule."""

    kind: Literal["constant", "step", "exponential", "cosine", "one_cycle", "plateau"]
    warmup: float
    gamma: float
    step_epochs: int
    patience: int
    final_factor: float


class TrainOptions(TypedDict, total=False):
    """The fields of cnn_train_options."""

    epochs: int
    batch_size: int
    seed: int
    optimizer: Union[str, OptimizerOptions]
    schedule: Union[str, ScheduleOptions]
    loss: Literal["auto", "binary_cross_entropy", "categorical_cross_entropy"]
    label_smoothing: float
    precision: Literal["float32", "bfloat16", "auto"]
    augment: Union[str, AugmentOptions]
    preprocess: PreprocessOptions
    ema_decay: float
    early_stopping: int
    keep_last: int
    workers: int
    cache_bytes: int
    checkpoint: PathLike
    resume: int
    history: PathLike
    first_size: int
    last_size: int
    mixup: float
    cutmix: float


class EvaluateOptions(TypedDict, total=False):
    """The fields of cnn_evaluate_options."""

    batch_size: int
    workers: int
    threshold: float
    preprocess: PreprocessOptions
    flip: int
    temperature: float


class OnnxOptions(TypedDict, total=False):
    """The fields of cnn_onnx_options."""

    height: int
    width: int
