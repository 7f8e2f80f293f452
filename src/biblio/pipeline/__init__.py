"""The use cases: one file per word of the road. They know ports and domain, and no vendor."""
