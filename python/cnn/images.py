"""Photographs: decoded, resized, and as a net takes them."""
from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Union, cast

import numpy as np

from . import _abi as abi
from ._library import library
from ._objects import ref
from ._records import AugmentOptions, ImageOptions, PathLike, PreprocessOptions
from ._structs import augment_of, defaults, enum_value, inner_struct, struct_of
from .tensors import Tensor, tensor_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Unpack


def _take_pixels(pointer: Any) -> NDArray[np.uint8]:
    return Tensor._made(pointer).numpy()


def tensor_of_pixels(pixels: ArrayLike) -> Tensor:
    """Of bytes, and of nothing that would have to be rounded or scaled to be bytes."""
    if np.asarray(pixels).dtype != np.uint8:
        raise TypeError("images are arrays of uint8, with values from 0 to 255")
    return tensor_of(pixels, np.uint8)


def load_image(path: PathLike, **options: Unpack[ImageOptions]) -> NDArray[np.uint8]:
    """Decodes a JPEG or PNG file to H×W×3 bytes.

    >>> cnn.load_image("photo.jpg").shape
    (180, 180, 3)
    """
    pointer = Tensor._place()
    library.cnn_image_load(None, os.fsencode(path), struct_of(abi.cnn_image_options, options), ref(pointer))
    return _take_pixels(pointer)


def decode_image(data: bytes, **options: Unpack[ImageOptions]) -> NDArray[np.uint8]:
    """Decodes the bytes of a JPEG or PNG to H×W×3 bytes."""
    pointer = Tensor._place()
    struct = struct_of(abi.cnn_image_options, options)
    library.cnn_image_decode(None, ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p), len(data), None, struct, ref(pointer))
    return _take_pixels(pointer)


class ImageInfo(NamedTuple):
    """What an image's header says."""

    format: str  # "jpeg" or "png"
    width: int  # upright, as it will be decoded
    height: int
    channels: int  # as stored, 1 to 4
    orientation: int  # EXIF's number, 1 to 8


def probe_image(data: bytes) -> ImageInfo:
    """Reads the header of a JPEG or PNG, and doesn't decode its pixels.

    >>> cnn.probe_image(pathlib.Path("photo.jpg").read_bytes())
    ImageInfo(format='jpeg', width=180, height=180, channels=3, orientation=1)
    """
    struct = defaults(abi.cnn_image_info)
    library.cnn_image_probe(bytes(data), len(data), None, struct)
    formats = {value: name for name, value in abi.short_names("cnn_image_format").items()}
    return ImageInfo(**{**struct.asdict(), "format": formats[struct.format]})


def resize(pixels: ArrayLike, width: int, height: int, *,
           fit: Literal["stretch", "crop", "letterbox"] = "stretch") -> NDArray[np.uint8]:
    """Resizes H×W×3 bytes.

    >>> cnn.resize(cnn.load_image("photo.jpg"), 48, 32, fit="crop").shape
    (32, 48, 3)
    """
    pointer = Tensor._place()
    library.cnn_image_resize(None, tensor_of_pixels(pixels), width, height, enum_value("cnn_fit", fit), ref(pointer))
    return _take_pixels(pointer)


def preprocess(pixels: ArrayLike, augment: Union[str, AugmentOptions, None] = None, *, seed: int = 0, epoch: int = 0,
               image: int = 0, **options: Unpack[PreprocessOptions]) -> NDArray[np.float32]:
    """Makes H×W×3 bytes a network's input, height × width × 3 floats. `augment` ("flip,rotation=20", or a dict) changes
    it at random, in another way for each seed, epoch and image number.

    >>> pixels = cnn.load_image("photo.jpg")
    >>> cnn.preprocess(pixels, "flip,rotation=20", epoch=3, width=64, height=64).shape
    (64, 64, 3)
    """
    struct = struct_of(abi.cnn_preprocess, options)
    change = inner_struct(abi.cnn_augment, augment) if augment else None
    output = np.empty((struct.height, struct.width, 3), np.float32)
    place = output.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    library.cnn_augment_apply(None, tensor_of_pixels(pixels), change, struct, seed, epoch, image, place)
    return output


def parse_augment(words: str) -> AugmentOptions:
    """The options that a text such as "flip,zoom=0.25" stands for.

    >>> cnn.parse_augment("flip,zoom=0.25")["zoom"]
    0.25
    """
    return cast(AugmentOptions, augment_of(words).asdict())
