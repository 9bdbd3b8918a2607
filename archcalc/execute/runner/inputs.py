"""What goes into the network: random numbers, an array from a file, or an image."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path
from tokenize import TokenError
from typing import IO, Any, NamedTuple

import numpy as np

from archcalc.core.errors import UsageError
from archcalc.core.files import note_input
from archcalc.core.shapes import Shape, axes_in_words, axes_written, format_shape
from archcalc.execute.calls import Inputs
from archcalc.execute.kernels import Array
from archcalc.execute.weights import generator
from archcalc.graph.layer_graph import LayerGraph

#: What numpy itself reads of a header.
LARGEST_NPY_HEADER = 10_000
#: Images with more pixels are refused before they are decoded.
LARGEST_IMAGE = 1 << 25
#: The formats that are read, as Pillow calls them: plain pixels, none that runs a program (PostScript does).
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "PPM")


class Preset(NamedTuple):
    """How pixel values 0 … 255 become inputs: (value·scale − mean)/deviation, in RGB order unless `bgr`."""

    scale: float
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)
    bgr: bool = False


PRESETS = {
    # torchvision.transforms, "Normalize" of every ImageNet model.
    "imagenet": Preset(1 / 255, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    # The VGG team's Caffe models: BGR minus the mean of ImageNet.
    "caffe": Preset(1.0, (103.939, 116.779, 123.68), bgr=True),
    "unit": Preset(1 / 255),
}


def random_inputs(graph: LayerGraph, batch: int, seed: int, dtype: str) -> Inputs:
    """Random numbers for the input of a network, or for each of several by its name."""
    if len(graph.inputs) == 1:
        return random_input(graph.input_shape, batch, seed, dtype)
    return {name: random_input(shape, batch, seed, dtype, name) for name, shape in graph.inputs.items()}


def random_input(shape: Shape, batch: int, seed: int, dtype: str, name: str = "input") -> Array:
    """A batch of numbers with mean 0 and variance 1, the same on every machine."""
    values = generator(seed, "", name).random((batch, *shape), dtype=np.float32)
    values -= np.float32(0.5)
    values *= np.float32(12**0.5)
    return values.astype(dtype, copy=False)


def npy_header(file: IO[bytes]) -> tuple[Shape, str]:
    """Shape and type of the .npy array at the start of a file. Raises `ValueError` where there is none.

    The header says how long it is; what is longer than any header is refused unread.
    """
    version = np.lib.format.read_magic(file)
    count = 2 if version == (1, 0) else 4
    length = file.read(count)
    size = int.from_bytes(length, "little")
    if len(length) < count or size > LARGEST_NPY_HEADER:
        raise ValueError(f"a header of {size:,} bytes; at most {LARGEST_NPY_HEADER:,} are read")
    header = io.BytesIO(length + file.read(size))
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(header)
    return shape, dtype.str.lstrip("<>=|")


def read_input(path: Path, shape: Shape, dtype: str, preset: str | None = None) -> Array:
    """A batch from an `.npy` file or an image. Raises `UsageError` where it is neither or does not fit."""
    if is_array(path):
        if preset is not None:
            raise UsageError("--preset is for images; the values of an .npy file are taken as they are")
        return _read_array(path, shape, dtype)
    return _read_image(path, shape, dtype, preset)


def is_array(path: Path) -> bool:
    """Whether a file is an `.npy` file by its name or its first bytes. Raises `UsageError` where it cannot be read."""
    try:
        with note_input(path).open("rb") as file:
            start = file.read(6)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from None
    return path.suffix.lower() == ".npy" or start == b"\x93NUMPY"


def _read_array(path: Path, shape: Shape, dtype: str) -> Array:
    try:
        with path.open("rb") as file:
            npy_header(file)
        # Mapped, so that a wrong size shows before anything is read.
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, OverflowError, SyntaxError, TokenError) as error:
        raise UsageError(f"{path} is no readable .npy file: {error}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        raise UsageError(f"{path} holds no array of real numbers")
    if values.shape == shape:
        values = values[None]
    if values.shape[1:] != shape or not len(values):
        raise UsageError(_misfit(path, values.shape, shape))
    result: Array = values.astype(dtype)
    if not np.isfinite(result).all():
        raise UsageError(f"{path} holds values that are not finite (NaN or infinite)")
    return result


def _misfit(path: Path, found: Shape, wanted: Shape) -> str:
    rank = len(wanted) - 1
    axes = f" (channels, {axes_in_words(rank)})" if rank else ""
    message = f"{path} is an array {_listed(found)}; the network wants {_listed(wanted)}{axes}, or a batch of those"
    if rank and found[-len(wanted) :] == (*wanted[1:], wanted[0]):
        order = ", ".join(map(str, (rank, *range(rank))))
        message += f"; it seems to be {axes_written(rank)}: transpose it, as in x.transpose({order})"
    return message


def _listed(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ")"


def pillow() -> Any:
    """The image library, imported when an image is read or written."""
    import PIL.Image
    import PIL.ImageOps

    return PIL


def _read_image(path: Path, shape: Shape, dtype: str, preset: str | None) -> Array:
    if len(shape) != 3 or shape[0] not in (1, 3):
        raise UsageError(f"an image has 1 or 3 channels; the network wants {format_shape(shape)}. Give an .npy file")
    library = pillow()
    channels, height, width = shape
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", library.Image.DecompressionBombWarning)
            with library.Image.open(path, formats=FORMATS) as image:
                pixels = image.width * image.height
                if pixels > LARGEST_IMAGE:
                    raise UsageError(_too_large(path, image.width, image.height))
                # Whole, in the middle, cut where its sides have another ratio.
                fitted = library.ImageOps.fit(
                    image.convert("L" if channels == 1 else "RGB"), (width, height), library.Image.Resampling.BILINEAR
                )
                values = np.asarray(fitted, dtype=np.float64)
    except library.Image.DecompressionBombError as error:
        raise UsageError(f"{path} is too large an image: {error}") from None
    except library.UnidentifiedImageError:
        raise UsageError(f"{path} is no readable image: none of {', '.join(FORMATS)}") from None
    except (OSError, SyntaxError, ValueError, EOFError, OverflowError, struct.error) as error:
        raise UsageError(f"{path} is no readable image: {error}") from None
    return _normalised(values, channels, preset).astype(dtype)


def _too_large(path: Path, width: int, height: int) -> str:
    return f"{path} is too large an image: {width:,}×{height:,} pixels, at most {LARGEST_IMAGE:,} are read"


def _normalised(values: Array, channels: int, preset: str | None) -> Array:
    """(H, W) or (H, W, 3) of 0 … 255 → (1, C, H, W)."""
    scale, mean, deviation, bgr = _constants(channels, preset)
    values = values[:, :, None] if channels == 1 else values[:, :, ::-1] if bgr else values
    return ((values * scale - mean) / deviation).transpose(2, 0, 1)[None]


def as_pixels(x: Array, preset: str | None = None, image: bool = True) -> Array:
    """Inputs (N, C, H, W) as pixels 0 … 255, (N, H, W, 3 or 1): the reverse of `read_input`.

    What was no `image` goes from black, its smallest value, to white; of other numbers of channels the mean is taken.
    """
    values = x.astype(np.float64).transpose(0, 2, 3, 1)
    if values.shape[3] not in (1, 3):
        values = values.mean(axis=3, keepdims=True)
    if not image:
        low = values.min(axis=(1, 2, 3), keepdims=True)
        reach = values.max(axis=(1, 2, 3), keepdims=True) - low
        return np.asarray((values - low) / np.where(reach > 0, reach, 1) * 255)
    scale, mean, deviation, bgr = _constants(values.shape[3], preset)
    values = (values * deviation + mean) / scale
    return values[:, :, :, ::-1] if bgr and values.shape[3] == 3 else values


def _constants(channels: int, preset: str | None) -> Preset:
    """The numbers of a preset for images with so many channels."""
    chosen = PRESETS[preset or ("imagenet" if channels == 3 else "unit")]
    if channels == 3:
        return chosen
    # A grey value counts as one in all three.
    return chosen._replace(mean=(sum(chosen.mean) / 3,), deviation=(sum(chosen.deviation) / 3,))
