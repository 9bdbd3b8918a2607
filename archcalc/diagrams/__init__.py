"""Pictures of networks: one diagram model, made from an analysis, that every renderer reads."""
