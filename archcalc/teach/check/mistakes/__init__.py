"""The usual mistakes of hand calculations: other readings of a layer's own rules, each with a name and a reason.

A mistake is never a formula of its own. It is the rule of the op evaluated with altered settings (no padding, one
group), or an edit of the formula that the rule gives (without the + 1, F for F·F). Both give a calculation that can be
shown to the one who made it.
"""

from __future__ import annotations

#: Every mistake by its id, in a few words.
MISTAKES = {
    "forgot_bias": "the bias is missing",
    "added_bias": "a bias where there is none, or one counted as a multiplication",
    "bias_per_weight": "a bias for every weight, channel or position, or one for the layer; not one a filter",
    "forgot_input_channels": "the input depth is missing",
    "wrong_input_channels": "the input depth of another layer",
    "forgot_output_channels": "the number of filters is missing, or another in its place",
    "forgot_groups": "filters as deep as the whole input, though there are groups",
    "wrong_kernel": "another kernel size",
    "kernel_not_squared": "the kernel along one axis only",
    "map_size_as_kernel": "the size of the map in the place of the kernel",
    "wrong_stride": "another stride",
    "forgot_stride": "the stride is missing",
    "forgot_padding": "the padding is missing",
    "added_padding": "padding where there is none",
    "padding_once": "P instead of 2P",
    "forgot_plus_one": "the 1 at the end of the formula is missing",
    "floor_ceil": "rounded to the wrong side",
    "forgot_dilation": "the dilation is missing",
    "params_in_pool": "parameters or multiplications of pooling and other layers that have none",
    "forgot_batch_norm": "the parameters of batch normalisation are missing",
    "counted_running_statistics": "running mean and variance counted as parameters",
    "multiplications_without_positions": "the positions of the output are missing",
    "positions_of_input": "the positions of the input instead of those of the output",
    "factor_two": "twice or half the number, or additions counted",
    "unit": "another unit: MB and MiB, values and bytes, parameters and bytes",
    "swapped_axes": "the right numbers in the wrong order",
    "sum_of_parts": "a sum that is not that of its parts",
    "repeat_count": "a layer left out, or counted more than once",
    "digit_slip": "a digit mistyped, dropped, doubled, or two swapped",
    "rounded_inputs": "calculated on with rounded numbers",
    "other_variant": "the number of another variant, or of another network of the catalogue",
    "other_tool": "the total of another tool, which counts more",
    "other_input": "right for another size of the network's input",
    "carried_forward": "right, had an earlier result been right",
    "unknown": "none of the usual mistakes",
}

#: Mistakes that someone who makes them makes in every layer.
HABITS = (
    "forgot_bias", "added_bias", "bias_per_weight", "forgot_input_channels", "forgot_output_channels",
    "forgot_groups", "kernel_not_squared", "forgot_batch_norm", "counted_running_statistics", "params_in_pool",
    "multiplications_without_positions", "positions_of_input", "forgot_padding", "padding_once", "forgot_plus_one",
    "floor_ceil", "forgot_stride", "map_size_as_kernel", "factor_two",
)  # fmt: skip
