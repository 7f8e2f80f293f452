"""What speech and embedder of one product share: the account at a service that speaks OpenAI's protocol."""
