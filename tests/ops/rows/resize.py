"""Maps of another size, worked out by hand."""

from archcalc.ops import Operations
from tests.ops.rows.row import Row

MAP = (2, 3, 4)
CUBE = (1, 1, 2, 2)
CORNERS = {"align_corners": True}

ROWS = [
    Row("interpolate", {"scale_factor": 2}, (MAP,), (2, 6, 8)),
    Row("interpolate", {"size": [5, 3]}, (MAP,), (2, 5, 3)),
    # The size of the second map.
    Row("interpolate", {}, (MAP, (5, 4, 7)), (2, 4, 7)),
    # Four weighted neighbours a value.
    Row("interpolate", {"scale_factor": 2, "mode": "bilinear"}, (MAP,), (2, 6, 8), counts=Operations(3 * 96, 4 * 96)),
    Row("interpolate", {"scale_factor": 3, "mode": "bilinear"}, (MAP,), (2, 9, 12), counts=Operations(648, 864)),
    Row("interpolate", {**CORNERS, "size": 5, "mode": "bilinear"}, (MAP,), (2, 5, 5), counts=Operations(150, 200)),
    # Half as wide: a triangle over 4 of 4 pixels, cut off at both ends to 3. A third as high: over all three rows.
    Row(
        "interpolate", {"size": [1, 2], "mode": "bilinear", "antialias": True}, (MAP,), (2, 1, 2),
        counts=Operations(2 * 3 * 6 - 4, 2 * 3 * 6),
    ),
    Row("interpolate", {"mode": "bilinear"}, (MAP, (1, 7, 2)), (2, 7, 2), counts=Operations(3 * 28, 4 * 28)),
    # Two along one axis, eight along three.
    Row("interpolate", {"size": 7, "mode": "linear"}, ((3, 4),), (3, 7), counts=Operations(21, 42)),
    Row("interpolate", {"size": [2, 4, 4], "mode": "trilinear"}, (CUBE,), (1, 2, 4, 4), counts=Operations(224, 256)),
    Row("interpolate", {"scale_factor": 2, "mode": "bicubic"}, (MAP,), (2, 6, 8), counts=Operations(15 * 96, 16 * 96)),
    Row("interpolate", {**CORNERS, "size": [2, 6], "mode": "bicubic"}, (MAP,), (2, 2, 6), counts=Operations(360, 384)),
    # Sizes are rounded down: 4.5 and 6, 2.5 and 2.
    Row("interpolate", {"scale_factor": 1.5}, (MAP,), (2, 4, 6)),
    Row("interpolate", {"scale_factor": 1.5, "mode": "bilinear"}, (MAP,), (2, 4, 6), counts=Operations(3 * 48, 4 * 48)),
    Row("interpolate", {"scale_factor": 0.5, "mode": "bicubic"}, ((2, 5, 4),), (2, 2, 2), counts=Operations(120, 128)),
    Row("interpolate", {**CORNERS, "scale_factor": 2.5, "mode": "linear"}, ((1, 3),), (1, 7), counts=Operations(7, 14)),
    Row("reflection_pad", {"padding": 2}, (MAP,), (2, 7, 8)),
    # Top, left, bottom, right.
    Row("reflection_pad", {"padding": [0, 1, 2, 3]}, (MAP,), (2, 5, 8)),
    Row("replication_pad", {"padding": [3, 1]}, (MAP,), (2, 9, 6)),
    Row("replication_pad", {"padding": 5}, ((2, 3),), (2, 13)),
    Row("circular_pad", {"padding": [0, 1]}, (MAP,), (2, 3, 6)),
    Row("circular_pad", {"padding": 1}, ((2, 2, 3, 1),), (2, 4, 5, 3)),
    Row("circular_pad", {"padding": [2, 0]}, ((2, 3),), (2, 5)),
]  # fmt: skip
