"""MNIST with 34 and 100 layers: the post "Residual networks in Torch, MNIST".

The code that the post speaks of, arunpatala/residual.mnist, has no plain net, and its README claims
99.5 for the residual net of more than 100 layers: the post's third number is taken for that one.
Its momentum is off by a slip of the pen and its rate a 128th of what is meant; the recipes do as
the code does. Its 34 and 100 layers are 32 and 98 by the count of arXiv:1512.03385.
"""

from residua.reproduce.cell import Table
from residua.reproduce.tables.fill import accuracy

POST = 'blog post "Residual networks in Torch, MNIST"'

TABLES = (
    Table(
        name="mnist.results",
        title="MNIST accuracy",
        source=POST,
        cells=(
            accuracy("plain 34", "accuracy", "mnist.plain34", "not stated"),
            accuracy("residual 34", "accuracy", "mnist.residual34", "not stated"),
            accuracy(
                "plain 100",
                "accuracy",
                "mnist.residual100",
                "not stated",
                note="the post says plain; by its code it is the residual net",
            ),
        ),
    ),
)
