"""Rules for networks that work, but are usually built in another way: each with a reason, a source and a fix."""
