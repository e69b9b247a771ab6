"""From noise to picture: samplers as plain functions, and a model, a noise feed and a sampler put together."""
