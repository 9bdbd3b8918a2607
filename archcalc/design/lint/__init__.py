"""Rules for networks that fit, but that one would build in another way: each with a reason, a source and a mend."""
