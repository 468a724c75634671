"""Preparing whole pictures before augmentation: global contrast normalization and ZCA whitening.

Both look at a picture as a vector, so they must see it as it is, before a crop moves its pixels.

Dimension key:
    N pictures   D = C * H * W numbers of a picture

Sources:
    [P] pylearn2, expr/preprocessing.py and scripts/datasets/make_cifar10_gcn_whitened.py: the
        scripts that Zagoruyko and Komodakis, arXiv:1605.07146, whitened with.
"""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from residua.errors import ShapeError

# Norms below this are taken for 1: a picture may be of one colour.
SMALLEST_NORM = 1e-8
# Pictures at a time: a thousand of 32x32 in double precision take 25 MB.
PART = 1000


def contrast_normalized(images: Tensor, scale: float) -> Tensor:
    """Bring every picture to mean 0 and Euclidean norm `scale`: `scale (x - mean) / |x - mean|`.

    Shape:
        images: N, C, H, W of any type. Returns float32 N, C, H, W.
    """
    x = images.float()
    x = x - x.mean(dim=(1, 2, 3), keepdim=True)
    norm = x.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return x * (scale / torch.where(norm < SMALLEST_NORM, 1.0, norm))


@dataclass(frozen=True, eq=False)
class Preparation:
    """`y = M (g - mean)` with `g` the contrast-normalized picture; `M` may be left out.

    Shape:
        mean: C, H, W.  matrix: D, D.

    Args:
        scale: the norm that contrast normalization gives every picture.
        mean: of the contrast-normalized training pictures, pixel by pixel.
        matrix: the whitening; None for the identity.
    """

    scale: float
    mean: Tensor
    matrix: Tensor | None = None

    @classmethod
    def fit(cls, images: Tensor, *, scale: float, bias: float | None) -> Self:
        """Take mean and whitening from N, C, H, W training pictures.

        The whitening is `(covariance + bias)^(-1/2)`, the symmetric root: ZCA. Computed in double
        precision; D = 3072 takes some seconds.

        Args:
            images: the training pictures in [0, 255].
            scale: of the contrast normalization.
            bias: added to every eigenvalue of the covariance; None for no whitening.
        """
        _, *shape = images.shape
        total = torch.zeros(images[0].numel(), dtype=torch.float64)
        for part in images.split(PART):
            total += contrast_normalized(part, scale).flatten(1).double().sum(dim=0).cpu()
        mean_D = total / len(images)
        mean = mean_D.float().view(*shape)
        if bias is None:
            return cls(scale, mean)
        covariance_DD = torch.zeros(len(mean_D), len(mean_D), dtype=torch.float64)
        for part in images.split(PART):
            centered_ND = contrast_normalized(part, scale).flatten(1).double().cpu() - mean_D
            covariance_DD.addmm_(centered_ND.T, centered_ND)
        covariance_DD.div_(len(images)).diagonal().add_(bias)
        values_D, vectors_DD = torch.linalg.eigh(covariance_DD)
        whitening_DD = (vectors_DD * values_D.rsqrt()) @ vectors_DD.T
        return cls(scale, mean, whitening_DD.float())

    def __call__(self, images: Tensor) -> Tensor:
        """Prepare N, C, H, W pictures in [0, 255]; the result is float32.

        Raises:
            ShapeError: the pictures are of another size than those it was fitted to.
        """
        if images.shape[1:] != self.mean.shape:
            raise ShapeError(
                f"pictures must be {tuple(self.mean.shape)}, as those the preparation was fitted "
                f"to, got {tuple(images.shape[1:])}"
            )
        return torch.cat([self._part(part) for part in images.split(PART)])

    def _part(self, images: Tensor) -> Tensor:
        centered = contrast_normalized(images, self.scale) - self.mean
        if self.matrix is None:
            return centered
        # The matrix is symmetric.
        return (centered.flatten(1) @ self.matrix).view_as(centered)

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        matrix = None if self.matrix is None else self.matrix.to(device)
        return type(self)(self.scale, self.mean.to(device), matrix)

    def arrays(self) -> dict[str, Tensor]:
        """Return its tensors by name, as `of` takes them."""
        return {"mean": self.mean, **({} if self.matrix is None else {"matrix": self.matrix})}

    @classmethod
    def of(cls, facts: dict[str, Any], arrays: dict[str, Tensor]) -> Self:
        """Make one from `facts` and `arrays`."""
        return cls(facts["scale"], arrays["mean"], arrays.get("matrix"))

    def facts(self) -> dict[str, Any]:
        """Return what is no tensor."""
        return {"scale": self.scale}

    @property
    def what(self) -> str:
        """Name it in words."""
        told = f"contrast normalized to norm {self.scale:g}, mean picture subtracted"
        return told if self.matrix is None else f"{told}, ZCA whitened"
