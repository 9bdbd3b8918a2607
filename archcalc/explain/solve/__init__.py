"""The other way round: what a layer, an equation or a network must be so that a number comes out."""
