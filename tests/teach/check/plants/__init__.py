"""Planted mistakes: what a student who makes one would write, by formulas worked out here by hand.

Nothing here asks the rules of the ops or the code under test: only settings and shapes are read.
"""

from __future__ import annotations

from tests.teach.check.plants import counts, others, shapes
from tests.teach.check.plants.numbers import Plant, Planter

__all__ = ["PLANTERS", "Plant"]

PLANTERS: dict[str, Planter] = {
    planter.__name__: planter
    for planter in (
        counts.forgot_bias,
        counts.added_bias,
        counts.bias_per_weight,
        counts.forgot_input_channels,
        counts.wrong_input_channels,
        counts.forgot_output_channels,
        counts.forgot_groups,
        counts.wrong_kernel,
        counts.kernel_not_squared,
        counts.map_size_as_kernel,
        shapes.wrong_stride,
        shapes.forgot_stride,
        shapes.forgot_padding,
        shapes.padding_once,
        shapes.added_padding,
        shapes.forgot_plus_one,
        shapes.floor_ceil,
        shapes.forgot_dilation,
        counts.params_in_pool,
        counts.forgot_batch_norm,
        counts.counted_running_statistics,
        counts.multiplications_without_positions,
        counts.positions_of_input,
        others.factor_two,
        others.unit,
        shapes.swapped_axes,
        others.sum_of_parts,
        others.repeat_count,
        others.digit_slip,
        others.rounded_inputs,
        others.other_variant,
        others.other_tool,
        shapes.other_input,
        others.carried_forward,
        others.unknown,
    )
}
