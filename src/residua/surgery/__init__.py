"""Surgery: trained nets made residual, deeper or slimmer without losing what they learned."""
