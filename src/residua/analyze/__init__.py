"""Looking inside a network: signals, gradients, lesions and the surface of the loss.

Each part is a function of a net and of batches, of a loss or of a measure, that returns what it
found as a frozen dataclass; the net is as it was when it returns.
"""
