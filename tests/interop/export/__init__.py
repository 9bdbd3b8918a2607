"""Networks as code and files of other programs."""
