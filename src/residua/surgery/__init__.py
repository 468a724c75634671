"""Surgery: nets that were built otherwise are made residual, deeper or thinner."""
