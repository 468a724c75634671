"""Residual networks you can trust.

Every network of the deep-residual-learning papers as published, trained and tested as they say.

Conventions: images are float tensors N, C, H, W; errors are in percent, probabilities in [0, 1];
one multiply-add counts once (the papers' FLOPs); an iteration is one update of the weights.
"""

__version__ = "0.1.0"
